using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Lockd.Locks;

/// <summary>
/// Who has locked which bytes of which file, with the rules of POSIX: an owner's own locks never conflict, but replace, split and merge each
/// other; readers share; of a request that fails nothing is done. Requests that wait are granted in the order of coming, as soon as nothing
/// stands in the way. NLM and NFSv4 share one. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Locks (of threads), outermost first:</para>
/// <list type="bullet">
/// <item><b>graph</b>, one: every step that makes a request wait, ends its wait, or gives somebody a lock in a file for which requests wait.
/// Who waits for whom is no structure of its own: a request waits for every owner who has a lock in its way. Since nothing is added to
/// this relation but under the graph lock, and what goes meanwhile only makes it smaller, a search under it sees cycles that were there, all
/// at once, when it began.</item>
/// <item><b>file</b>, the monitor of its <see cref="FileLocks"/>: its locks, and calls on its local file. Never two at once.</item>
/// <item><b>part</b> (of the dictionary of files), <b>owner</b> (the list of an owner's files) and <b>watch</b> (who is to hear when a lock goes): held for
/// moments, nothing inside.</item>
/// </list>
/// <para>While no request waits for a file, its locks come and go without the graph lock.</para>
/// </remarks>
[DebuggerDisplay("{Count} locks, {WaitingCount} waiting")]
internal sealed partial class LockTable : IAsyncDisposable
{
    private readonly LockTableOptions _options;
    private readonly ILogger _logger;
    private readonly Lock _graph = new();
    private ulong _number; // interlocked; the last entry's, with gaps
    private long _count; // interlocked

    /// <summary>An empty table.</summary>
    public LockTable(LockTableOptions? options = null)
    {
        _options = options ?? new LockTableOptions();
        _logger = _options.Logger ?? NullLogger.Instance;
        _parts = new Part[PartCount];
        for (int i = 0; i < _parts.Length; i++)
            _parts[i] = new Part();
        _ownerLocks = new Lock[PartCount];
        for (int i = 0; i < _ownerLocks.Length; i++)
            _ownerLocks[i] = new Lock();
        _polling = Workqueue.Ordered("lock-poll", _options.System ?? KworkerSystem.Current);
        _poll = new DelayedWork<LockTable>(this, static table => table.PollLocal());
    }

    /// <summary>Locks held, of all files.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Whether an owner could have a lock, and if not, what stands in the way.</summary>
    /// <returns>True if it could.</returns>
    /// <exception cref="IOException">The local file cannot be opened now.</exception>
    public bool Test(LockFileKey file, LockOwner owner, LockKind kind, LockRange range, out LockConflict conflict)
    {
        using Use use = Pin(file, create: _options.LocalFiles is not null);
        if (use.File is not { } locks)
        {
            conflict = default;
            return true;
        }
        lock (locks)
        {
            if (locks.FindConflict(locks.Find(owner), kind, range) is { } entry)
            {
                conflict = Describe(entry);
                return false;
            }
            return TestLocal(locks, kind, range, out conflict);
        }
    }

    /// <summary>Takes a lock, or refuses it.</summary>
    /// <returns>Granted, Denied or NoLocks.</returns>
    public LockOutcome Lock(LockFileKey file, LockOwner owner, LockKind kind, LockRange range, out LockConflict conflict)
    {
        using Use use = Pin(file, create: true);
        FileLocks locks = use.File!;
        lock (locks)
        {
            if (locks.FirstWaiting is null)
                return Take(locks, owner, kind, range, out conflict, out _);
            if (locks.FindConflict(locks.Find(owner), kind, range) is { } entry)
            {
                conflict = Describe(entry);
                return LockOutcome.Denied;
            }
        }
        return LockAmongWaiting(locks, owner, kind, range, out conflict);
    }

    /// <summary>Takes a lock, or lets the request wait, unless that would be for ever.</summary>
    /// <returns>Granted, Blocked, Deadlock or NoLocks. <see cref="BlockedLock.OnGranted"/> and the like are called only after Blocked;
    /// that may be before this method returns.</returns>
    /// <exception cref="InvalidOperationException">The request has been used before.</exception>
    public LockOutcome Lock(BlockedLock request, out LockConflict conflict)
    {
        using Use use = Pin(request.File, create: true);
        FileLocks locks = use.File!;
        lock (locks)
        {
            if (request.WaitsIn is not null || request.End != BlockedEnd.None)
                throw new InvalidOperationException("The request has been used before.");
            if (locks.FirstWaiting is null)
            {
                LockOutcome outcome = Take(locks, request.Owner, request.Kind, request.Range, out conflict, out _);
                if (outcome != LockOutcome.Denied)
                    return outcome;
            }
        }
        return LockOrWait(locks, request, out conflict);
    }

    /// <summary>Gives up what the owner holds in the range, if anything.</summary>
    public void Unlock(LockFileKey file, LockOwner owner, LockRange range)
    {
        using Use use = Pin(file, create: false);
        if (use.File is not { } locks)
            return;
        lock (locks)
        {
            if (locks.FirstWaiting is null)
            {
                Release(locks, owner, range);
                return;
            }
        }
        UnlockAmongWaiting(locks, owner, range);
    }

    /// <summary>Gives up all that an owner holds, in every file; its requests wait no more.</summary>
    /// <returns>How many files it held locks in.</returns>
    public int ReleaseOwner(LockOwner owner)
    {
        EndWaiting(owner);
        int files = 0;
        while (FirstFileOf(owner) is { } file)
        {
            Unlock(file, owner, LockRange.All);
            files++;
        }
        return files;
    }

    /// <summary>Gives up all locks in a file, whosever; requests for it wait no more.</summary>
    /// <returns>How many owners held locks.</returns>
    public int ReleaseFile(LockFileKey file)
    {
        using Use use = Pin(file, create: false);
        if (use.File is not { } locks)
            return 0;
        var ended = new List<BlockedLock>();
        OwnedLocks[] owners;
        lock (_graph)
        {
            lock (locks)
            {
                while (locks.FirstWaiting is { } waiting)
                    End(waiting, BlockedEnd.Released, ended);
                owners = [.. locks.Owners];
                foreach (OwnedLocks own in owners)
                    Release(locks, own.Owner, LockRange.All);
            }
        }
        Tell(ended);
        return owners.Length;
    }

    /// <summary>What is held in a file at this moment, in order of start.</summary>
    public IReadOnlyList<(LockOwner Owner, LockKind Kind, LockRange Range)> Locks(LockFileKey file)
    {
        using Use use = Pin(file, create: false);
        if (use.File is not { } locks)
            return [];
        var held = new List<(LockOwner, LockKind, LockRange Range)>();
        lock (locks)
        {
            foreach (OwnedLocks own in locks.Owners)
            {
                for (LockEntry? entry = own.FirstFrom(0); entry is not null; entry = own.Next(entry))
                    held.Add((own.Owner, entry.Kind, entry.Range));
            }
        }
        held.Sort(static (one, other) => one.Range.Start.CompareTo(other.Range.Start));
        return held;
    }

    /// <summary>Ends the polling, and closes the local files, which gives their locks up. Nobody may call the table any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _poll.CancelSyncAsync();
        await _polling.DisposeAsync();
        foreach (Part part in _parts)
        {
            foreach (FileLocks file in part.Files.Values)
                file.Local?.Dispose();
        }
    }

    /// <summary>File lock: takes a lock if nothing is in the way.</summary>
    /// <returns>Granted, Denied or NoLocks.</returns>
    private LockOutcome Take(
        FileLocks locks, LockOwner owner, LockKind kind, LockRange range, out LockConflict conflict, out LockEntry? blocker)
    {
        blocker = locks.FindConflict(locks.Find(owner), kind, range);
        if (blocker is not null)
        {
            conflict = Describe(blocker);
            return LockOutcome.Denied;
        }
        LockOutcome outcome = TakeLocal(locks, kind, range, out conflict);
        if (outcome != LockOutcome.Granted)
            return outcome;
        OwnedLocks own = locks.FindOrAdd(owner, out bool added);
        if (added)
            Link(own);
        Set(locks, own, kind, range);
        return LockOutcome.Granted;
    }

    /// <summary>File lock: gives up what the owner holds in the range.</summary>
    private void Release(FileLocks locks, LockOwner owner, LockRange range)
    {
        if (locks.Find(owner) is not { } own)
            return;
        ReleaseLocal(locks, own, range);
        Set(locks, own, null, range);
        if (!own.IsEmpty)
            return;
        locks.Remove(own);
        Unlink(own);
    }

    private void Set(FileLocks locks, OwnedLocks own, LockKind? kind, LockRange range)
    {
        const int MostAdded = 3;
        int before = locks.Count;
        ulong number = Interlocked.Add(ref _number, MostAdded) - MostAdded;
        locks.Set(own, kind, range, ref number);
        Interlocked.Add(ref _count, locks.Count - before);
        TellWatches(locks);
    }

    private static LockConflict Describe(LockEntry entry) => new(entry.Owner!.Owner, 0, entry.Kind, entry.Range);
}
