namespace Kworker;

/// <summary>
/// Looks every few seconds at what is in progress, and says once of each thing that has gone on for too long: a pool that begins nothing while work waits, an item
/// that runs, a kthread that waits where nothing but the end of the wait can end it.
/// <para>
/// Whether something is the same as at the last look it tells by counters that workers and waiters advance anyway: nobody takes the time of anything, so what is
/// watched pays nothing. What began right after a look is first seen by the next one, so a duration is a lower bound, by one look's distance at most.
/// </para>
/// <para>
/// The looks hang on the system's timers, whose thread depends on no pool; with a clock of the user's they follow that clock. All fields are that thread's
/// own but for those marked otherwise: looks never overlap.
/// </para>
/// </summary>
internal sealed class Watchdog : TimedItem
{
    /// <summary>So many looks fall into the shortest limit.</summary>
    private const int LooksPerLimit = 5;

    private readonly KworkerSystem _system;
    private readonly TimeSpan _poolLimit;
    private readonly TimeSpan _itemLimit;
    private readonly TimeSpan _taskLimit;
    private readonly TimeSpan _interval; // infinite when all limits are
    private readonly Lock _lock = new();
    private Dictionary<object, Watched> _watched = []; // under _lock; written by looks alone
    private int _isStarted; // 0 → 1 once

    internal Watchdog(KworkerSystem system, KworkerSystemOptions options)
    {
        _system = system;
        _poolLimit = options.PoolStallLimit;
        _itemLimit = options.LongItemLimit;
        _taskLimit = options.HungTaskLimit;
        TimeSpan shortest = new[] { _poolLimit, _itemLimit, _taskLimit }.Where(static limit => limit > TimeSpan.Zero).DefaultIfEmpty(Timeout.InfiniteTimeSpan).Min();
        _interval = shortest > TimeSpan.Zero ? shortest / LooksPerLimit : Timeout.InfiniteTimeSpan;
    }

    /// <summary>The system has its first thread: from now on there may be something to watch. Takes no lock that the caller may hold but the timers'.</summary>
    internal void Start()
    {
        if (_interval > TimeSpan.Zero && Seam.Read(in _isStarted) == 0 && Seam.CompareExchange(ref _isStarted, 1, 0) == 0)
            _system.Timers.Arm(this, _interval);
    }

    /// <summary>For how long a run has been seen; null when it has not.</summary>
    internal TimeSpan? DurationOf(PoolWorker? worker, WorkRun run)
    {
        TimeSpan? byWorker = worker is null ? null : Since(worker, worker.Steps);
        return byWorker ?? Since(run, run.Number);
    }

    /// <summary>For how long a pool has begun nothing while work waited.</summary>
    internal TimeSpan HungTimeOf(WorkerPool pool) => Since(pool, Progress(pool, _system.Registry.Workers)) ?? TimeSpan.Zero;

    /// <summary>For how long a kthread has been in a wait that nothing but its end can end; null when it has not been seen in one.</summary>
    internal TimeSpan? WaitTimeOf(Kthread kthread)
    {
        TimeSpan? longest = null;
        foreach ((Waiter waiter, int waits) in kthread.UninterruptibleWaits())
        {
            if (Since(waiter, waits) is { } time && !(longest >= time))
                longest = time;
        }

        return longest;
    }

    private TimeSpan? Since(object subject, long progress)
    {
        lock (_lock)
        {
            return _watched.TryGetValue(subject, out Watched? watched) && watched.Progress == progress
                ? ClockReading.Since(_system.TimeProvider, watched.Since)
                : null;
        }
    }

    internal override void Expire()
    {
        // Ours alone runs here: an exception would be the library's fault, but must not end the timers.
        try
        {
            Look();
        }
        catch (Exception e)
        {
            _system.Log($"kworker: the watchdog failed: {e}");
        }

        _system.Timers.Arm(this, _interval);
    }

    private void Look()
    {
        var look = new LookInProgress(_system.TimeProvider, _watched);
        PoolWorker[] workers = _system.Registry.Workers;
        LookAtPools(look, workers);
        LookAtItems(look, workers);
        LookAtKthreads(look);
        lock (_lock)
            _watched = look.Seen;
        foreach (WatchdogEventArgs report in look.Reports)
            _system.Report(report);
    }

    private void LookAtPools(LookInProgress look, PoolWorker[] workers)
    {
        foreach (WorkerPool pool in _system.Pools)
        {
            _system.RunLock.Enter();
            bool hasWaiting = pool.HasWaiting;
            _system.RunLock.Exit();
            if (hasWaiting && look.IsOver(_poolLimit, pool, Progress(pool, workers), out TimeSpan duration))
                look.Reports.Add(WatchdogEventArgs.OfPool(pool.Name, duration, _system.Snapshot(maxItems: 16)));
        }
    }

    private void LookAtItems(LookInProgress look, PoolWorker[] workers)
    {
        foreach (PoolWorker worker in workers)
        {
            long steps = worker.Steps;
            if (worker.CurrentWork is { IsAsync: false } work && worker.CurrentQueue is { } queue && worker.Steps == steps
                && look.IsOver(_itemLimit, worker, steps, out TimeSpan duration))
                look.Reports.Add(WatchdogEventArgs.OfItem(work.FunctionName, queue.Name, worker.Name, duration, StackOf(worker), Origins.Of(work)));
        }

        // Async ones by their runs, which may be on one worker after another, or on none.
        var runs = new List<(WorkRun Run, Work Work, Workqueue Queue)>();
        Workqueue[] queues = _system.AliveQueues;
        _system.RunLock.Enter();
        foreach (Workqueue queue in queues)
        {
            foreach (WorkRun run in queue.AsyncRuns)
                runs.Add((run, run.Work!, queue));
        }

        _system.RunLock.Exit();
        foreach ((WorkRun run, Work work, Workqueue queue) in runs)
        {
            if (!look.IsOver(_itemLimit, run, run.Number, out TimeSpan duration))
                continue;
            PoolWorker? on = Array.Find(workers, worker => ReferenceEquals(worker.CurrentWork, work));
            look.Reports.Add(WatchdogEventArgs.OfItem(work.FunctionName, queue.Name, on?.Name, duration, on is null ? "in an await" : StackOf(on), Origins.Of(work)));
        }
    }

    private void LookAtKthreads(LookInProgress look)
    {
        foreach (Kthread kthread in _system.Registry.Kthreads)
        {
            if (kthread.Worker is { } worker && worker.RunInProgress is { } run
                && look.IsOver(_itemLimit, worker, run, out TimeSpan runs))
                look.Reports.Add(WatchdogEventArgs.OfItem(worker.CurrentFunction, worker.Name, kthread.Name, runs, StackOf(kthread), worker.CurrentOrigin));
            foreach ((Waiter waiter, int waits) in kthread.UninterruptibleWaits())
            {
                if (look.IsOver(_taskLimit, waiter, waits, out TimeSpan duration))
                    look.Reports.Add(WatchdogEventArgs.OfTask(
                        kthread.Name, kthread.Worker?.CurrentFunction, kthread.Worker?.Name, duration, WaitStacks.Of(waiter) ?? StackOf(kthread)));
            }
        }
    }

    private static string StackOf(PoolWorker worker) => worker.BlockedAt ?? OsThread.Describe(worker.ThreadId);

    private static string StackOf(Kthread kthread) => kthread.BlockedAt ?? OsThread.Describe(kthread.ThreadId);

    /// <summary>What a pool's workers have begun so far. It falls when one ends, and that is a change, too.</summary>
    private static long Progress(WorkerPool pool, PoolWorker[] workers)
    {
        long progress = 0;
        foreach (PoolWorker worker in workers)
        {
            if (ReferenceEquals(worker.Pool, pool))
                progress += worker.Steps;
        }

        return progress;
    }

    /// <summary>What was seen to be in progress, since when, and whether that has been said.</summary>
    private sealed record Watched(long Progress, long Since, bool IsReported);

    /// <summary>What one look sees: compared with what the one before saw.</summary>
    private sealed class LookInProgress(TimeProvider time, Dictionary<object, Watched> before)
    {
        private readonly long _now = ClockReading.Timestamp(time);

        internal Dictionary<object, Watched> Seen { get; } = [];

        internal List<WatchdogEventArgs> Reports { get; } = [];

        /// <summary>Notes a thing in progress; true when it has been for the limit, for the first time.</summary>
        internal bool IsOver(TimeSpan limit, object subject, long progress, out TimeSpan duration)
        {
            duration = TimeSpan.Zero;
            if (!before.TryGetValue(subject, out Watched? watched) || watched.Progress != progress)
            {
                Seen[subject] = new Watched(progress, _now, IsReported: false);
                return false;
            }

            duration = time.GetElapsedTime(watched.Since, _now);
            bool isOver = limit > TimeSpan.Zero && duration >= limit && !watched.IsReported;
            Seen[subject] = isOver ? watched with { IsReported = true } : watched;
            return isOver;
        }
    }
}
