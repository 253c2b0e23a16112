namespace Kworker;

/// <summary>
/// Takes a snapshot in two steps: what stands is noted under the run lock, all of it in one go, so that each item is seen in one place; names and texts are made
/// of it afterwards. Lists are noted up to a number of items: nobody waits for the lock because a million are queued.
/// </summary>
internal sealed class SnapshotCollector(KworkerSystem system, int maxItems)
{
    private readonly List<(Work Work, Workqueue Queue, Place Place, PoolWorker? Worker, WorkRun? Run)> _items = [];
    private readonly Dictionary<Workqueue, int> _listed = [];
    private readonly List<QueueCounts> _queues = [];
    private readonly List<PoolCounts> _pools = [];
    private readonly HashSet<WorkRun> _runs = [];
    private readonly HashSet<Work> _staged = [];
    private readonly Dictionary<PoolWorker, WorkerState> _states = [];

    private enum Place
    {
        InFlight,
        Awaiting,
        Pending,
        Inactive,
    }

    internal KworkerSnapshot Take()
    {
        DateTimeOffset time = system.TimeProvider.GetUtcNow();
        PoolWorker[] workers = system.Registry.Workers;
        Note(workers);
        ILookup<Workqueue?, (DelayedWork Work, TimeSpan DueIn)> delayed = system.Timers.Collect<DelayedWork>(maxItems).ToLookup(static item => item.Work.Target);
        ILookup<KthreadWorker?, WorkItemSnapshot> delayedOnKthreads = system.Timers.Collect<KthreadDelayedWork>(maxItems).OrderBy(static item => item.DueIn)
            .ToLookup(static item => item.Work.Owner, static item => Delayed(item.Work, item.Work.FunctionName, item.DueIn));

        ILookup<Workqueue, (Work Work, Workqueue Queue, Place Place, PoolWorker? Worker, WorkRun? Run)> items = _items.ToLookup(static item => item.Queue);
        return new KworkerSnapshot(
            time,
            [.. _queues.Select(counts => ToSnapshot(counts, [.. items[counts.Queue]], delayed[counts.Queue]))],
            [.. _pools.Select(counts => ToSnapshot(counts, workers))],
            [.. system.Registry.Kthreads.OrderBy(static kthread => kthread.Name, StringComparer.Ordinal).Select(kthread => kthread.ToSnapshot(maxItems, kthread.Worker is { } worker ? [.. delayedOnKthreads[worker]] : []))],
            system.Helpers.Launcher.Ledger.RunningAmong(system.Helpers.ProcessIds))
        {
            RecentHelpers = system.Helpers.Launcher.Ledger.Recent,
            Waits = WaitGraph.Snapshot(system),
            Reports = system.Findings.Recent,
            Counters = system.Counters.ToSnapshot(),
            AreHelpersDisabled = system.Helpers.IsDisabled,
        };
    }

    /// <summary>Instead of a snapshot: the items that are queued, and whether they have begun; for how long, if the watchdog has seen them.</summary>
    internal IEnumerable<(Work Work, Workqueue Queue, bool HasBegun, TimeSpan? Duration)> TakeItems()
    {
        Note(system.Registry.Workers);
        return _items.Select(item => (item.Work, item.Queue, item.Place <= Place.Awaiting, item.Run is { } run ? system.Watchdog.DurationOf(item.Worker, run) : null));
    }

    /// <summary>The first step.</summary>
    private void Note(PoolWorker[] workers)
    {
        Workqueue[] queues = system.AliveQueues;
        system.RunLock.Enter();
        // Counted first: staged items end without the lock, and none is to be listed that was not counted.
        foreach (Workqueue queue in queues)
            _queues.Add(queue.Collect(this));
        foreach (PoolWorker worker in workers)
            Add(worker);
        foreach (WorkRun run in queues.SelectMany(static queue => queue.AsyncRuns))
            AddAwaiting(run);
        foreach (WorkerPool pool in system.Pools)
            _pools.Add(pool.Collect(this));
        system.RunLock.Exit();
    }

    /// <summary>Run lock: an item that waits for a worker, in a list or a stage.</summary>
    internal void AddPending(DeferredItem item)
    {
        if (item is Work { Queue: { } queue } work && Count(queue))
            _items.Add((work, queue, Place.Pending, null, null));
    }

    /// <summary>Run lock: an item that waits for a place.</summary>
    internal void AddInactive(Work work, Workqueue queue)
    {
        if (Count(queue))
            _items.Add((work, queue, Place.Inactive, null, null));
    }

    /// <summary>Run lock: an async run.</summary>
    private void AddAwaiting(WorkRun run)
    {
        // A piece of it may be run by a worker right now.
        if (run is not { Work: { } work, Queue: { } queue } || !_runs.Add(run))
            return;
        _items.Add((work, queue, Place.Awaiting, null, run));
        AddBehind(run);
    }

    internal bool IsFull(Workqueue queue) => _listed.GetValueOrDefault(queue) >= maxItems;

    /// <summary>How many of a pool's list are looked at, whosever they are.</summary>
    internal int MaxItems => maxItems;

    /// <summary>Run lock: an item that a worker has taken ahead and not begun.</summary>
    internal void AddStaged(Work work)
    {
        _staged.Add(work);
        AddPending(work);
    }

    /// <summary>Run lock: a run on a worker. One that has begun without the lock has been made to end under it, so that it is seen whole.</summary>
    internal void AddInFlight(WorkRun run, PoolWorker worker)
    {
        if (run is { Work: { } work, Queue: { } queue } && _runs.Add(run))
        {
            _items.Add((work, queue, Place.InFlight, worker, run));
            AddBehind(run);
        }
    }

    private void Add(PoolWorker worker)
    {
        worker.Stage.Collect(this, worker);
        _states[worker] = worker.IsIdle ? WorkerState.Idle : worker.CountsAsRunning ? WorkerState.Running : WorkerState.Blocked;
        // What it has begun since its stage was looked at has been seen there.
        if (worker.CurrentWork is { } work && !_staged.Contains(work) && work.FindRun() is { } run)
            AddInFlight(run, worker);
    }

    private void AddBehind(WorkRun run)
    {
        int left = maxItems;
        for (DeferredItem item = run.Scheduled.Next!; !ReferenceEquals(item, run.Scheduled) && left-- > 0; item = item.Next!)
            AddPending(item);
    }

    private bool Count(Workqueue queue)
    {
        int listed = _listed.GetValueOrDefault(queue);
        _listed[queue] = listed + 1;
        return listed < maxItems;
    }

    private WorkqueueSnapshot ToSnapshot(QueueCounts counts, (Work Work, Workqueue Queue, Place Place, PoolWorker? Worker, WorkRun? Run)[] items, IEnumerable<(DelayedWork Work, TimeSpan DueIn)> delayed)
    {
        Workqueue queue = counts.Queue;
        return new WorkqueueSnapshot
        {
            Name = queue.Name,
            Pool = queue.Pool.Name,
            Flags = counts.Flags,
            IsDraining = counts.IsDraining,
            Active = counts.Active,
            MaxActive = counts.MaxActive,
            Unfinished = counts.Unfinished,
            Queued = counts.Queued,
            Waited = queue.Latencies?.Waited.ToSnapshot(),
            Ran = queue.Latencies?.Ran.ToSnapshot(),
            InFlight = [.. items.Where(static item => item.Place <= Place.Awaiting).Select(item => new WorkItemSnapshot
            {
                Function = item.Work.FunctionName,
                Thread = item.Worker?.Name,
                IsAwaiting = item.Place == Place.Awaiting,
                Duration = system.Watchdog.DurationOf(item.Worker, item.Run!),
                QueuedAt = Origins.Of(item.Work),
            })],
            Pending = Of(Place.Pending),
            Inactive = Of(Place.Inactive),
            Delayed = [.. delayed.OrderBy(static item => item.DueIn).Select(static item => Delayed(item.Work, item.Work.FunctionName, item.DueIn))],
        };

        WorkItemSnapshot[] Of(Place place) =>
            [.. items.Where(item => item.Place == place).Select(static item => new WorkItemSnapshot { Function = item.Work.FunctionName, QueuedAt = Origins.Of(item.Work) })];
    }

    private static WorkItemSnapshot Delayed(DeferredItem work, string function, TimeSpan dueIn) => new()
    {
        Function = function,
        DueIn = dueIn > TimeSpan.Zero ? dueIn : TimeSpan.Zero,
        QueuedAt = Origins.Of(work),
    };

    private PoolSnapshot ToSnapshot(PoolCounts counts, PoolWorker[] workers) => new()
    {
        Name = counts.Pool.Name,
        Workers = counts.Workers,
        Idle = counts.Idle,
        Running = counts.Running,
        MaxRunning = counts.Pool.MaxRunning,
        HasWaiting = counts.HasWaiting,
        Executed = system.Registry.RunsOf(counts.Pool),
        Hung = system.Watchdog.HungTimeOf(counts.Pool),
        Threads =
        [
            .. workers.Where(worker => ReferenceEquals(worker.Pool, counts.Pool)).OrderBy(static worker => worker.Name.Length).ThenBy(static worker => worker.Name, StringComparer.Ordinal)
                .Select(worker => new WorkerSnapshot(worker.Name, worker.ThreadId, worker.CurrentWork?.FunctionName, _states.GetValueOrDefault(worker))),
        ],
    };
}

/// <summary>What a pool counts, under the run lock.</summary>
internal readonly record struct PoolCounts(WorkerPool Pool, int Workers, int Idle, int Running, bool HasWaiting);

/// <summary>What a queue counts, under the run lock.</summary>
internal readonly record struct QueueCounts(Workqueue Queue, string Flags, bool IsDraining, int Active, int MaxActive, int Unfinished, long Queued);
