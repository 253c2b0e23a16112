namespace Kworker.Lockd.Locks;

// Those who ask again by themselves, and hear when it is worth it.
internal sealed partial class LockTable
{
    private readonly Lock _watchLock = new(); // inside a file's lock; nothing inside

    /// <summary>Of files that are watched, by whom, the first that came. The table under <see cref="_watchLock"/>, a list under its file's lock.</summary>
    private readonly Dictionary<FileLocks, List<LockWatch>> _watches = new(ReferenceEqualityComparer.Instance);

    /// <summary>Files of which a local program's lock is watched, which nobody will tell us of. Under <see cref="_watchLock"/>.</summary>
    private readonly HashSet<LockFileKey> _watchedLocally = [];

    /// <summary>Files that somebody watches.</summary>
    public int WatchedCount
    {
        get
        {
            lock (_watchLock)
                return _watches.Count;
        }
    }

    /// <summary>Has a refused request told when it is worth asking again.</summary>
    /// <returns>False if it is by now: then it does not watch.</returns>
    public bool Watch(LockWatch watch)
    {
        using Use use = Pin(watch.File, create: true);
        FileLocks locks = use.File!;
        bool isOfLocal;
        lock (locks)
        {
            watch.Blocker = locks.FindConflict(locks.Find(watch.Owner), watch.Kind, watch.Range);
            isOfLocal = watch.Blocker is null;
            if (isOfLocal && IsLocallyFree(locks, watch))
                return false;
            lock (_watchLock)
            {
                if (!_watches.TryGetValue(locks, out List<LockWatch>? watches))
                    _watches.Add(locks, watches = []);
                watches.Add(watch);
                locks.IsWatched = true;
                if (isOfLocal)
                    _watchedLocally.Add(locks.Key);
            }
        }
        if (isOfLocal)
            StartPolling();
        return true;
    }

    /// <summary>Takes a watch back, if it has not been told.</summary>
    public void Unwatch(LockWatch watch)
    {
        using Use use = Pin(watch.File, create: false);
        if (use.File is not { IsWatched: true } locks)
            return;
        lock (locks)
        {
            if (WatchesOf(locks) is not { } watches || !watches.Remove(watch))
                return;
            if (watches.Count == 0)
                EndWatching(locks);
        }
    }

    /// <summary>File lock: something of the file's locks has changed. Those are told from whose way the last lock has gone.</summary>
    private void TellWatches(FileLocks locks, bool ofLocal = false)
    {
        if (!locks.IsWatched || WatchesOf(locks) is not { } watches)
            return;
        // In their order, since the first to hear is the first to ask; one pass, since a thousand may watch the same bytes.
        int kept = 0;
        bool isPolled = false;
        for (int i = 0; i < watches.Count; i++)
        {
            LockWatch watch = watches[i];
            if (IsStillInTheWay(locks, watch, ofLocal))
            {
                watches[kept++] = watch;
                isPolled |= watch.Blocker is null;
            }
            else
            {
                watch.OnFree();
            }
        }
        watches.RemoveRange(kept, watches.Count - kept);
        if (ofLocal)
        {
            lock (_watchLock)
            {
                if (!isPolled)
                    _watchedLocally.Remove(locks.Key);
            }
        }
        if (kept == 0)
            EndWatching(locks);
    }

    private bool IsStillInTheWay(FileLocks locks, LockWatch watch, bool ofLocal)
    {
        if (watch.Blocker is { Owner: not null } || (watch.Blocker is null && !ofLocal))
            return true;
        watch.Blocker = locks.FindConflict(locks.Find(watch.Owner), watch.Kind, watch.Range);
        return watch.Blocker is not null || (ofLocal && !IsLocallyFree(locks, watch));
    }

    private bool IsLocallyFree(FileLocks locks, LockWatch watch)
    {
        try
        {
            return TestLocal(locks, watch.Kind, watch.Range, out _);
        }
        catch (IOException exception)
        {
            LockLog.LocalNotOpened(_logger, exception, locks.Key);
            return true; // who asks hears of it
        }
    }

    private List<LockWatch>? WatchesOf(FileLocks locks)
    {
        lock (_watchLock)
            return _watches.GetValueOrDefault(locks);
    }

    /// <summary>File lock.</summary>
    private void EndWatching(FileLocks locks)
    {
        lock (_watchLock)
        {
            _watches.Remove(locks);
            _watchedLocally.Remove(locks.Key);
            locks.IsWatched = false;
        }
    }

    /// <summary>Looks for local programs' locks that have gone.</summary>
    private void PollWatches()
    {
        LockFileKey[] keys;
        lock (_watchLock)
            keys = [.. _watchedLocally];
        foreach (LockFileKey key in keys)
        {
            using Use use = Pin(key, create: false);
            if (use.File is not { } locks)
                continue;
            lock (locks)
                TellWatches(locks, ofLocal: true);
        }
        // Looked at again, under the lock: who came to be polled for while this ran has queued the next look itself.
        bool isAnyLeft;
        lock (_watchLock)
            isAnyLeft = _watchedLocally.Count > 0;
        if (isAnyLeft)
            StartPolling();
    }
}
