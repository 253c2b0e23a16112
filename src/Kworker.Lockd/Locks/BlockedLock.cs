using System.Diagnostics;

namespace Kworker.Lockd.Locks;

/// <summary>A request for a lock that may wait. Each protocol derives its own; an object is for one request.</summary>
/// <remarks>
/// A request that waits ends once: granted, refused as a deadlock, released with its owner or its file (each tells it by a call), or
/// cancelled (the canceller knows). The calls come outside all locks, on the thread that did what ended it; they should do no more than
/// queue work.
/// </remarks>
[DebuggerDisplay("{Owner} waits for {Kind} {Range}")]
internal abstract class BlockedLock(LockFileKey file, LockOwner owner, LockKind kind, LockRange range)
{
    /// <summary>The file.</summary>
    public LockFileKey File { get; } = file;

    /// <summary>Who will hold the lock.</summary>
    public LockOwner Owner { get; } = owner;

    /// <summary>What it lets others do.</summary>
    public LockKind Kind { get; } = kind;

    /// <summary>What it covers.</summary>
    public LockRange Range { get; } = range;

    // Those below: written under the graph lock and the file's lock together, so that either is enough to read them.

    /// <summary>The locks of the file, while it waits; null before and after.</summary>
    internal FileLocks? WaitsIn { get; set; }

    /// <summary>The lock it waits for first; null while it waits for a local program.</summary>
    internal LockEntry? Blocker { get; set; }

    /// <summary>In the order of coming: those of the file.</summary>
    internal BlockedLock? NextInFile { get; set; }

    /// <inheritdoc cref="NextInFile"/>
    internal BlockedLock? PreviousInFile { get; set; }

    /// <summary>Among the requests of its owner that wait. Guarded by the graph lock.</summary>
    internal BlockedLock? NextOfOwner { get; set; }

    /// <summary>How it ended. Written once, under the graph lock.</summary>
    internal BlockedEnd End { get; set; }

    /// <summary>Nothing stands in the way any more: the lock is held.</summary>
    protected internal abstract void OnGranted();

    /// <summary>It waits no more: a lock that its owner got meanwhile closed a cycle of owners who wait for each other.</summary>
    protected internal virtual void OnDeadlock()
    {
    }

    /// <summary>It waits no more: its owner or its file was released.</summary>
    protected internal virtual void OnReleased()
    {
    }

    /// <summary>Tells how it ended.</summary>
    internal void Tell()
    {
        switch (End)
        {
            case BlockedEnd.Granted:
                OnGranted();
                break;
            case BlockedEnd.Deadlock:
                OnDeadlock();
                break;
            case BlockedEnd.Released:
                OnReleased();
                break;
        }
    }
}

/// <summary>How a request that waited has ended.</summary>
internal enum BlockedEnd : byte
{
    /// <summary>It has not.</summary>
    None,
    Granted,
    Deadlock,
    Released,
    Cancelled,
}
