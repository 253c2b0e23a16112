namespace Kworker.Lockd.Locks;

// Requests that wait.
internal sealed partial class LockTable
{
    // Guarded by the graph lock, all of them.
    private readonly HashSet<FileLocks> _waitedFor = []; // files for which requests wait
    private readonly List<LockOwner> _seen = []; // by the search below
    private ulong _search;
    private int _waiting;

    /// <summary>Requests that wait, of all files.</summary>
    public int WaitingCount => Volatile.Read(ref _waiting);

    /// <summary>Whether a request waits for what an owner holds.</summary>
    public bool IsWaitedFor(LockOwner owner)
    {
        if (WaitingCount == 0)
            return false;
        lock (_graph)
        {
            foreach (FileLocks locks in _waitedFor)
            {
                lock (locks)
                {
                    if (locks.Find(owner) is not { } held)
                        continue;
                    for (BlockedLock? request = locks.FirstWaiting; request is not null; request = request.NextInFile)
                    {
                        if (request.Owner != owner && held.StandsInTheWayOf(request.Kind, request.Range))
                            return true;
                    }
                }
            }
        }
        return false;
    }

    /// <summary>Takes a request back that waits.</summary>
    /// <returns>True if it waited: nothing will be heard of it. False if it has ended: its end has been told, or is about to be.</returns>
    public bool Cancel(BlockedLock request)
    {
        using Use use = Pin(request.File, create: false);
        lock (_graph)
        {
            if (request.WaitsIn is not { } locks)
                return false;
            lock (locks)
                End(request, BlockedEnd.Cancelled, null);
            return true;
        }
    }

    private LockOutcome LockAmongWaiting(FileLocks locks, LockOwner owner, LockKind kind, LockRange range, out LockConflict conflict)
    {
        var ended = new List<BlockedLock>();
        LockOutcome outcome;
        lock (_graph)
        {
            lock (locks)
            {
                outcome = Take(locks, owner, kind, range, out conflict, out _);
                Retry(locks, ended, ofLocal: false);
            }
            Recheck(outcome == LockOutcome.Granted ? owner : null, ended);
        }
        Tell(ended);
        return outcome;
    }

    private LockOutcome LockOrWait(FileLocks locks, BlockedLock request, out LockConflict conflict)
    {
        var ended = new List<BlockedLock>();
        LockOutcome outcome;
        lock (_graph)
        {
            FindThoseWhoWaitFor(request.Owner);
            lock (locks)
            {
                outcome = Take(locks, request.Owner, request.Kind, request.Range, out conflict, out LockEntry? blocker);
                if (outcome == LockOutcome.Denied)
                {
                    if (IsInTheWayOfSeen(locks, request))
                        return LockOutcome.Deadlock;
                    Wait(locks, request, blocker);
                    return LockOutcome.Blocked;
                }
                Retry(locks, ended, ofLocal: false);
            }
            Recheck(outcome == LockOutcome.Granted ? request.Owner : null, ended);
        }
        Tell(ended);
        return outcome;
    }

    private void UnlockAmongWaiting(FileLocks locks, LockOwner owner, LockRange range)
    {
        var ended = new List<BlockedLock>();
        lock (_graph)
        {
            lock (locks)
            {
                Release(locks, owner, range);
                Retry(locks, ended, ofLocal: false);
            }
            Recheck(null, ended);
        }
        Tell(ended);
    }

    private void EndWaiting(LockOwner owner)
    {
        var ended = new List<BlockedLock>();
        lock (_graph)
        {
            while (owner.FirstWaiting is { } request)
            {
                FileLocks locks = request.WaitsIn!;
                lock (locks)
                    End(request, BlockedEnd.Released, ended);
            }
        }
        foreach (BlockedLock request in ended)
            Pin(request.File, create: false).Dispose(); // Drops the file, if nothing else is there.
        Tell(ended);
    }

    /// <summary>Graph and file lock: puts a request in line.</summary>
    private void Wait(FileLocks locks, BlockedLock request, LockEntry? blocker)
    {
        locks.Enqueue(request);
        WaitFor(request, blocker);
        _waitedFor.Add(locks);
        _waiting++;
        request.NextOfOwner = request.Owner.FirstWaiting;
        request.Owner.FirstWaiting = request;
        Interlocked.Increment(ref request.Owner.Uses);
    }

    /// <summary>Graph and file lock: says what the request is to be tried again for.</summary>
    private void WaitFor(BlockedLock request, LockEntry? blocker)
    {
        request.Blocker = blocker;
        if (blocker is not null)
            blocker.IsWaitedFor = true;
        else
            StartPolling();
    }

    /// <summary>Graph and file lock: the request waits no more.</summary>
    private void End(BlockedLock request, BlockedEnd how, List<BlockedLock>? ended)
    {
        FileLocks locks = request.WaitsIn!;
        locks.Dequeue(request);
        request.End = how;
        if (locks.FirstWaiting is null)
            _waitedFor.Remove(locks);
        _waiting--;
        RemoveFromOwner(request);
        Interlocked.Decrement(ref request.Owner.Uses);
        ended?.Add(request);
    }

    private static void RemoveFromOwner(BlockedLock request)
    {
        LockOwner owner = request.Owner;
        if (ReferenceEquals(owner.FirstWaiting, request))
        {
            owner.FirstWaiting = request.NextOfOwner;
        }
        else
        {
            BlockedLock previous = owner.FirstWaiting!;
            while (!ReferenceEquals(previous.NextOfOwner, request))
                previous = previous.NextOfOwner!;
            previous.NextOfOwner = request.NextOfOwner;
        }
        request.NextOfOwner = null;
    }

    /// <summary>
    /// Graph and file lock: grants what can be granted, the first that came first. Only those are tried whose blocker is gone: of the others
    /// it still stands in the way.
    /// </summary>
    private void Retry(FileLocks locks, List<BlockedLock> ended, bool ofLocal)
    {
        while (locks.HasOrphans || ofLocal)
        {
            locks.HasOrphans = false;
            BlockedLock? next;
            BlockedLock? request = locks.FirstWaiting;
            // From the head again when a grant has cut locks of its own owner (from write to read, say) for which somebody earlier waits.
            for (; request is not null && !locks.HasOrphans; request = next)
            {
                next = request.NextInFile;
                if (request.Blocker is { } blocker ? blocker.Owner is not null : !ofLocal)
                    continue;
                LockOutcome outcome = Take(locks, request.Owner, request.Kind, request.Range, out _, out LockEntry? inTheWay);
                if (outcome == LockOutcome.Granted)
                    End(request, BlockedEnd.Granted, ended);
                else
                    WaitFor(request, inTheWay); // Without one (a local program, or want of something) it is polled for.
            }
            ofLocal &= request is not null;
        }
    }

    /// <summary>
    /// Graph lock: after locks were given in a file for which requests wait. A lock that an owner gets makes others wait for it; if it waits
    /// itself, elsewhere, that may have closed a cycle. Then its own waiting ends.
    /// </summary>
    private void Recheck(LockOwner? granted, List<BlockedLock> ended)
    {
        if (granted is { FirstWaiting: not null })
            EndCycles(granted, ended);
        for (int i = 0; i < ended.Count; i++)
        {
            if (ended[i] is { End: BlockedEnd.Granted, Owner: { FirstWaiting: not null } owner })
                EndCycles(owner, ended);
        }
    }

    private void EndCycles(LockOwner owner, List<BlockedLock> ended)
    {
        FindThoseWhoWaitFor(owner);
        if (_seen.Count == 1)
            return;
        BlockedLock? next;
        for (BlockedLock? request = owner.FirstWaiting; request is not null; request = next)
        {
            next = request.NextOfOwner;
            FileLocks locks = request.WaitsIn!;
            lock (locks)
            {
                if (IsInTheWayOfSeen(locks, request))
                    End(request, BlockedEnd.Deadlock, ended);
            }
        }
    }

    /// <summary>Graph lock: finds the owners who wait for this one, and for those, and so on. It stands first among them.</summary>
    private void FindThoseWhoWaitFor(LockOwner owner)
    {
        _search++;
        _seen.Clear();
        See(owner);
        for (int i = 0; i < _seen.Count; i++)
        {
            LockOwner holder = _seen[i];
            if (FirstFileOf(holder) is null)
                continue; // Nobody waits for who has nothing: the usual case.
            foreach (FileLocks locks in _waitedFor)
            {
                lock (locks)
                    SeeThoseWhoWaitFor(holder, locks);
            }
        }
    }

    private void SeeThoseWhoWaitFor(LockOwner holder, FileLocks locks)
    {
        if (locks.Find(holder) is not { } held)
            return;
        for (BlockedLock? request = locks.FirstWaiting; request is not null; request = request.NextInFile)
        {
            if (request.Owner.SeenBy != _search && held.StandsInTheWayOf(request.Kind, request.Range))
                See(request.Owner);
        }
    }

    private void See(LockOwner owner)
    {
        owner.SeenBy = _search;
        _seen.Add(owner);
    }

    /// <summary>Graph and file lock: whether one of the owners found, but for the request's own, has a lock in the request's way.</summary>
    private bool IsInTheWayOfSeen(FileLocks locks, BlockedLock request)
    {
        for (int i = 1; i < _seen.Count; i++)
        {
            if (locks.Find(_seen[i]) is { } held && held.StandsInTheWayOf(request.Kind, request.Range))
                return true;
        }
        return false;
    }

    /// <summary>Outside all locks.</summary>
    private static void Tell(List<BlockedLock> ended)
    {
        foreach (BlockedLock request in ended)
            request.Tell();
    }
}
