using System.Diagnostics;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>What a descriptor is good for.</summary>
internal enum OpenAs
{
    /// <summary>A place: attributes, names below it (O_PATH).</summary>
    Place = 0,
    /// <summary>Reading, of file or directory.</summary>
    Reading = 1,
    /// <summary>Reading and writing.</summary>
    Writing = 2,
}

/// <summary>An open descriptor of a file, shared by the calls that use it. It holds no credentials: each call checks its caller's.</summary>
[DebuggerDisplay("{Fd} {As} uses {Uses}")]
[SupportedOSPlatform("linux")]
internal sealed class OpenFile(NfsHandle handle, int fd, OpenAs openAs)
{
    public NfsHandle Handle { get; } = handle;
    public int Fd { get; } = fd;
    public OpenAs As { get; } = openAs;

    // Guarded by the lock of the cache.
    public int Uses { get; set; } = 1;
    public bool IsCached { get; set; }
    public long LastUse { get; set; }
    public LinkedListNode<OpenFile>? Node { get; set; }

    /// <summary>Whether data was written that no sync has covered yet. Set before the data is handed over, cleared only under <see cref="Syncing"/>.</summary>
    public volatile bool IsDirty;

    /// <summary>
    /// Held while syncing. The kernel tells a write error once per descriptor: of two syncs at the same time the second could find nothing wrong, and
    /// would answer before the first had changed the write epoch.
    /// </summary>
    public object Syncing { get; } = new();

    /// <summary>How many syncs were asked for. Changed by interlocked operations, the next three under <see cref="Syncing"/>.</summary>
    public long SyncRequests;

    /// <summary>The last request that a sync has covered, whether it covered attributes, and what came of it.</summary>
    public long SyncedThrough { get; set; }

    /// <inheritdoc cref="SyncedThrough"/>
    public bool SyncedAttributes { get; set; }

    /// <inheritdoc cref="SyncedThrough"/>
    public NfsStatus SyncResult { get; set; }

    /// <summary>Held while reading the directory: its position belongs to the descriptor.</summary>
    public object Listing { get; } = new();
}
