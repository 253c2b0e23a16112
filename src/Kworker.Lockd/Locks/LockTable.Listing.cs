namespace Kworker.Lockd.Locks;

// What is held and waited for, for those who look after the server.
internal sealed partial class LockTable
{
    /// <summary>Locks that are held and requests that wait, each file at one moment, no more than <paramref name="max"/> of each.</summary>
    public (IReadOnlyList<HeldLock> Held, IReadOnlyList<WaitingLock> Waiting) List(int max)
    {
        var held = new List<HeldLock>();
        var waiting = new List<WaitingLock>();
        foreach (Part part in _parts)
        {
            LockFileKey[] keys;
            lock (part.Lock)
                keys = [.. part.Files.Keys.Take(max)];
            foreach (LockFileKey key in keys)
            {
                if (held.Count >= max && waiting.Count >= max)
                    return (held, waiting);
                using Use use = Pin(key, create: false);
                if (use.File is { } locks)
                    List(locks, max, held, waiting);
            }
        }
        return (held, waiting);
    }

    private static void List(FileLocks locks, int max, List<HeldLock> held, List<WaitingLock> waiting)
    {
        lock (locks)
        {
            foreach (OwnedLocks own in locks.Owners)
            {
                for (LockEntry? entry = own.FirstFrom(0); entry is not null && held.Count < max; entry = own.Next(entry))
                    held.Add(new HeldLock(locks.Key, own.Owner, entry.Kind, entry.Range));
            }
            for (BlockedLock? request = locks.FirstWaiting; request is not null && waiting.Count < max; request = request.NextInFile)
                waiting.Add(new WaitingLock(locks.Key, request.Owner, request.Kind, request.Range, request.Blocker?.Owner?.Owner));
        }
    }
}

/// <summary>A lock that is held.</summary>
internal readonly record struct HeldLock(LockFileKey File, LockOwner Owner, LockKind Kind, LockRange Range);

/// <summary>A request that waits, and whose lock it waits for first; null: for one of a program of this machine.</summary>
internal readonly record struct WaitingLock(LockFileKey File, LockOwner Owner, LockKind Kind, LockRange Range, LockOwner? For);
