using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>Keeps descriptors open for a while, so that READ and WRITE need not open the file each time. Thread-safe.</summary>
/// <remarks>
/// <para>At most one descriptor per file is in the cache, the most able one; one that it replaces, or that is forgotten, lives on until its last use ends.</para>
/// <para>A descriptor with unsynced data is synced before it is closed: without it the kernel may forget that writing back went wrong, and a later COMMIT would promise what is lost.
/// If that sync fails, the write epoch moves on, and clients send their data again.</para>
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class OpenFileCache(int capacity, TimeSpan idleTime, TimeProvider time) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<NfsHandle, OpenFile> _files = [];
    private readonly LinkedList<OpenFile> _byUse = new(); // Least recently used first.
    private long _epoch;
    private bool _isDisposed;

    /// <summary>Changes whenever data accepted as unstable may have been lost.</summary>
    public ulong Epoch => (ulong)Volatile.Read(ref _epoch);

    /// <summary>Number of descriptors in the cache.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _files.Count;
        }
    }

    /// <summary>Called, outside all locks, when the cache gets its first entry: somebody should call <see cref="CloseIdle"/> from time to time.</summary>
    public Action? FirstCached { get; set; }

    /// <summary>The open descriptor of <paramref name="handle"/>, if there is one that can do <paramref name="need"/>. To be given back by <see cref="Release"/>.</summary>
    public OpenFile? TryTake(in NfsHandle handle, OpenAs need)
    {
        lock (_lock)
        {
            if (!_files.TryGetValue(handle, out OpenFile? file) || file.As < need)
                return null;
            file.Uses++;
            Touch(file);
            return file;
        }
    }

    /// <summary>Takes over <paramref name="fd"/>. The descriptor returned, to be given back by <see cref="Release"/>, may be another that came first.</summary>
    public OpenFile Add(in NfsHandle handle, int fd, OpenAs openAs)
    {
        var added = new OpenFile(handle, fd, openAs);
        OpenFile? surplus = null;
        bool isFirst;
        lock (_lock)
        {
            if (_files.TryGetValue(handle, out OpenFile? present) && present.As >= openAs && !_isDisposed)
            {
                present.Uses++;
                Touch(present);
                added.Uses = 0;
                Close(added); // Never written through: closing it loses nothing, and nobody waits long for it.
                return present;
            }
            if (_isDisposed)
                return added; // Closed by its release.
            if (present is not null && Detach(present))
                surplus = present;
            isFirst = _files.Count == 0;
            _files[handle] = added;
            added.IsCached = true;
            added.Node = _byUse.AddLast(added);
            added.LastUse = time.GetTimestamp();
        }
        if (surplus is not null)
            Close(surplus);
        CloseSurplus();
        if (isFirst)
            FirstCached?.Invoke();
        return added;
    }

    /// <summary>Ends a use.</summary>
    public void Release(OpenFile file)
    {
        lock (_lock)
        {
            if (--file.Uses > 0 || file.IsCached)
                return;
        }
        Close(file);
    }

    /// <summary>Lets go of a file of which a name was removed, so that its space comes back if that was the last.</summary>
    public void Forget(in NfsHandle handle)
    {
        OpenFile? file;
        lock (_lock)
        {
            if (!_files.TryGetValue(handle, out file) || !Detach(file))
                return;
        }
        if (LocalFile.TryStat(file.Fd, out StatX stat) && stat.LinkCount == 0)
            file.IsDirty = false; // Nobody can ask for this data any more.
        Close(file);
    }

    /// <summary>Closes what has not been used for the idle time.</summary>
    /// <returns>Whether anything remains.</returns>
    public bool CloseIdle()
    {
        while (true)
        {
            OpenFile? idle;
            lock (_lock)
            {
                idle = _byUse.FirstOrDefault(file => file.Uses == 0 && time.GetElapsedTime(file.LastUse) >= idleTime);
                if (idle is null || !Detach(idle))
                    return _files.Count > 0;
            }
            Close(idle);
        }
    }

    /// <summary>Makes what was written through <paramref name="file"/> durable.</summary>
    /// <param name="file">A descriptor in use.</param>
    /// <param name="withAttributes">Whether all attributes are meant (fsync), or what finds the data again (fdatasync).</param>
    public NfsStatus Sync(OpenFile file, bool withAttributes)
    {
        long ticket = Interlocked.Increment(ref file.SyncRequests);
        lock (file.Syncing)
        {
            // A sync that began after this request has done its work; so any number of them cost two.
            if (file.SyncedThrough >= ticket && (file.SyncedAttributes || !withAttributes))
                return file.SyncResult;
            file.SyncedThrough = Volatile.Read(ref file.SyncRequests);
            file.SyncedAttributes = withAttributes;
            file.IsDirty = false; // Before: what is written from now on is not promised by this sync.
            file.SyncResult = NfsStatus.Ok;
            if ((withAttributes ? Libc.FSync(file.Fd) : Libc.FDataSync(file.Fd)) != 0)
            {
                NfsStatus status = ErrnoStatus.Last();
                Interlocked.Increment(ref _epoch); // Before the lock is let go, and so before anyone else's sync of this file can answer.
                file.SyncResult = status == NfsStatus.Jukebox ? NfsStatus.Io : status;
            }
            return file.SyncResult;
        }
    }

    /// <summary>Syncs every file with unsynced data.</summary>
    public NfsStatus SyncAll()
    {
        List<OpenFile> dirty;
        lock (_lock)
        {
            dirty = [.. _files.Values.Where(file => file.IsDirty)];
            foreach (OpenFile file in dirty)
                file.Uses++;
        }
        NfsStatus result = NfsStatus.Ok;
        foreach (OpenFile file in dirty)
        {
            NfsStatus status = Sync(file, withAttributes: true);
            if (status != NfsStatus.Ok)
                result = status;
            Release(file);
        }
        return result;
    }

    /// <summary>Syncs and closes all; those in use are closed when their use ends.</summary>
    public void CloseAll()
    {
        List<OpenFile> unused = [];
        lock (_lock)
        {
            foreach (OpenFile file in _files.Values.ToArray())
            {
                if (Detach(file))
                    unused.Add(file);
            }
        }
        unused.ForEach(Close);
    }

    /// <summary>As <see cref="CloseAll"/>, for good.</summary>
    public void Dispose()
    {
        lock (_lock)
            _isDisposed = true;
        CloseAll();
    }

    private void CloseSurplus()
    {
        while (true)
        {
            OpenFile? victim;
            lock (_lock)
            {
                // A clean one first: closing it costs nothing.
                if (_files.Count <= capacity)
                    return;
                victim = _byUse.FirstOrDefault(file => file.Uses == 0 && !file.IsDirty) ?? _byUse.FirstOrDefault(file => file.Uses == 0);
                if (victim is null || !Detach(victim))
                    return; // All in use: as many as there are calls.
            }
            Close(victim);
        }
    }

    /// <summary>Takes <paramref name="file"/> out of the cache; under the lock.</summary>
    /// <returns>Whether nobody uses it: then the caller closes it, outside the lock.</returns>
    private bool Detach(OpenFile file)
    {
        _files.Remove(file.Handle);
        _byUse.Remove(file.Node!);
        file.Node = null;
        file.IsCached = false;
        return file.Uses == 0;
    }

    private void Touch(OpenFile file)
    {
        file.LastUse = time.GetTimestamp();
        _byUse.Remove(file.Node!);
        _byUse.AddLast(file.Node!);
    }

    private void Close(OpenFile file)
    {
        if (file.IsDirty)
            Sync(file, withAttributes: false);
        if (Libc.Close(file.Fd) != 0 && Marshal.GetLastPInvokeError() == ErrnoStatus.EIO)
            Interlocked.Increment(ref _epoch); // A file system that reports lost data here only (NFS does).
    }
}
