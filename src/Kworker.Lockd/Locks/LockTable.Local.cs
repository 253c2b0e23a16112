using Microsoft.Win32.SafeHandles;

namespace Kworker.Lockd.Locks;

// The same locks on the local file. Its descriptor holds the union of all owners' locks, of the stronger kind; each step touches only the
// bytes for which that union changes:
//
//   a lock is granted    the whole range becomes of its kind. (Write: nobody else has anything there. Read: others have at most read locks.)
//   a lock is given up   of what the owner held there: all but what others still read.
//
// An owner that may not come back can be suspended: its locks stand in the table alone, in the way of other clients, who may ask it to give way, but
// not of programs, who cannot.
internal sealed partial class LockTable
{
    private readonly Workqueue _polling;
    private readonly DelayedWork<LockTable> _poll;

    /// <summary>File lock: the local file of a file with locks.</summary>
    /// <exception cref="IOException">It cannot be opened now.</exception>
    private LocalLocks? LocalOf(FileLocks locks)
    {
        if (locks.IsLocalKnown || _options.LocalFiles is not { } files)
            return locks.Local;
        using (Worker.Blocking())
        {
            SafeFileHandle? handle = files.Open(locks.Key, out bool canWrite);
            locks.Local = handle is null ? null : new LocalLocks(handle, canWrite);
        }
        locks.IsLocalKnown = true;
        return locks.Local;
    }

    /// <summary>Gives up on local files what an owner holds. It keeps it in the table, and neither locks nor unlocks until <see cref="ResumeLocal"/>.</summary>
    public void SuspendLocal(LockOwner owner)
    {
        if (_options.LocalFiles is null)
            return;
        foreach (LockFileKey key in FilesOf(owner))
        {
            using Use use = Pin(key, create: false);
            if (use.File is not { } locks)
                continue;
            lock (locks)
            {
                if (locks.Find(owner) is { } own)
                    ReleaseLocal(locks, own, LockRange.All);
            }
        }
    }

    /// <summary>Takes on local files again what an owner holds in the table.</summary>
    /// <returns>False if a local program has something of it, or has had the last of what the kernel can hold: the owner's locks are not to be relied on.</returns>
    public bool ResumeLocal(LockOwner owner)
    {
        if (_options.LocalFiles is null)
            return true;
        foreach (LockFileKey key in FilesOf(owner))
        {
            using Use use = Pin(key, create: false);
            if (use.File is not { } locks)
                continue;
            lock (locks)
            {
                if (locks.Find(owner) is not { } own)
                    continue;
                for (LockEntry? entry = own.FirstFrom(0); entry is not null; entry = own.Next(entry))
                {
                    if (TakeLocal(locks, entry.Kind, entry.Range, out _) != LockOutcome.Granted)
                        return false;
                }
            }
        }
        return true;
    }

    private bool TestLocal(FileLocks locks, LockKind kind, LockRange range, out LockConflict conflict)
    {
        conflict = default;
        if (LocalOf(locks) is not { } local)
            return true;
        using (Worker.Blocking())
            return local.Test(kind, range, out conflict);
    }

    /// <summary>File lock: takes the lock on the local file. Nothing of the table is in its way.</summary>
    private LockOutcome TakeLocal(FileLocks locks, LockKind kind, LockRange range, out LockConflict conflict)
    {
        conflict = default;
        try
        {
            if (LocalOf(locks) is not { } local)
                return LockOutcome.Granted;
            using (Worker.Blocking())
            {
                LockOutcome outcome = local.Set(kind, range, out conflict);
                if (outcome == LockOutcome.NoLocks)
                    LockLog.LocalRefused(_logger, locks.Key, range);
                return outcome;
            }
        }
        catch (IOException exception)
        {
            LockLog.LocalNotOpened(_logger, exception, locks.Key);
            return LockOutcome.NoLocks;
        }
    }

    /// <summary>File lock: gives up on the local file what the owner is about to give up.</summary>
    private void ReleaseLocal(FileLocks locks, OwnedLocks own, LockRange range)
    {
        if (locks.Local is not { } local)
            return;
        using BlockingScope scope = Worker.Blocking();
        for (LockEntry? entry = own.FirstFrom(range.Start); entry is not null && entry.Range.Start <= range.End; entry = own.Next(entry))
        {
            var held = new LockRange(Math.Max(range.Start, entry.Range.Start), Math.Min(range.End, entry.Range.End));
            ClearAllButRead(locks, local, own, held);
        }
    }

    private void ClearAllButRead(FileLocks locks, LocalLocks local, OwnedLocks own, LockRange held)
    {
        ulong from = held.Start;
        while (true)
        {
            LockRange rest = held with { Start = from };
            LockEntry? read = locks.FindOthersRead(own, rest);
            ulong gapEnd = read is null ? held.End : read.Range.Start - 1; // not used if the read lock begins at 0
            if ((read is null || read.Range.Start > from) && !local.Clear(new LockRange(from, gapEnd)))
                LockLog.LocalKept(_logger, locks.Key, new LockRange(from, gapEnd));
            if (read is null || read.Range.End >= held.End)
                return;
            from = read.Range.End + 1;
        }
    }

    /// <summary>Somebody waits for what nobody will tell us of. To be called after that has been noted: the look that is due sees it.</summary>
    private void StartPolling() => _polling.Queue(_poll, _options.LocalPollInterval);

    private void PollLocal()
    {
        var ended = new List<BlockedLock>();
        lock (_graph)
        {
            foreach (FileLocks locks in _waitedFor.ToArray())
            {
                lock (locks)
                    Retry(locks, ended, ofLocal: true); // Plans the next look, if one of them waits on.
            }
            Recheck(null, ended);
        }
        Tell(ended);
        PollWatches();
    }
}
