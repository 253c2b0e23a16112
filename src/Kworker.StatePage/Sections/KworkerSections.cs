using System.Globalization;

namespace Kworker.StatePage;

/// <summary>What a system's snapshot looks like on the page.</summary>
internal sealed class KworkerSections(KworkerSnapshot snapshot, Trends trends, int maxItems)
{
    private const int MostTimers = 25;

    /// <summary>What there is of each queue; queues may share a name, and are told apart by their order then.</summary>
    private readonly (string Key, WorkqueueSnapshot Queue)[] _queues =
    [
        .. snapshot.Workqueues.GroupBy(static queue => queue.Name)
            .SelectMany(static same => same.Select(static (queue, index) => (index == 0 ? queue.Name : $"{queue.Name}#{index + 1}", queue))),
    ];

    public IReadOnlyList<StateTile> Tiles()
    {
        (double executed, double[] trend) = trends.Rate("executed", snapshot.Pools.Sum(static pool => pool.Executed));
        long waiting = _queues.Sum(static queue => Waiting(queue.Queue));
        int busy = snapshot.Pools.Sum(static pool => pool.Workers - pool.Idle);
        int delayed = _queues.Sum(static queue => queue.Queue.Delayed.Count);
        TimeSpan hung = snapshot.Pools.Select(static pool => pool.Hung).DefaultIfEmpty().Max();
        CountersSnapshot counters = snapshot.Counters;
        long failures = counters.WorkExceptions + counters.KthreadExceptions;
        return
        [
            new("Runs begun", StateText.OfRate(executed)) { Trend = trend },
            Level("Items waiting", waiting, StateTone.Plain),
            Level("Workers busy", busy, StateTone.Plain),
            Level("Timers armed", delayed, StateTone.Plain),
            Level("Kthreads", snapshot.Kthreads.Count, StateTone.Plain),
            Level("Helpers running", snapshot.Helpers.Count, StateTone.Plain),
            Level("Exceptions", failures, failures > 0 ? StateTone.Warning : StateTone.Plain),
            hung > TimeSpan.Zero && snapshot.Pools.Any(static pool => pool.HasWaiting && pool.Hung > TimeSpan.FromSeconds(10))
                ? new StateTile("Watchdog", $"stalled {StateText.Of(hung)}") { Tone = StateTone.Bad }
                : Level("Watchdog findings", counters.WatchdogReports, counters.WatchdogReports > 0 ? StateTone.Warning : StateTone.Plain),
        ];

        StateTile Level(string name, long value, StateTone tone) =>
            new(name, value.ToString("N0", CultureInfo.InvariantCulture)) { Tone = tone, Trend = trends.Level($"tile {name}", value) };
    }

    public IEnumerable<StateSection> All() => [Queues(), Items(), Pools(), Timers(), Kthreads(), Waits(), Helpers(), Watchdog()];

    private StateSection Pools() => new("pools", "Pools and workers")
    {
        Note = "A worker that blocks hands its place on: as many as there are processors run, however many block.",
        Tables =
        [
            new("pools-all", "Pools", [new("Pool"), new("State"), new("Workers", true), new("Idle", true), new("Running", true), new("Blocked", true), new("May run", true), new("Runs", true)],
                [.. snapshot.Pools.Select(Row)]),
            new("workers", "Workers", [new("Worker"), new("State"), new("Function"), new("For", true), new("Thread", true)],
                [.. snapshot.Pools.SelectMany(static pool => pool.Threads).Select(Row)])
            {
                Empty = "No worker has been needed yet.",
            },
        ],
    };

    private StateRow Row(PoolSnapshot pool)
    {
        (double rate, double[] trend) = trends.Rate($"pool {pool.Name}", pool.Executed);
        string name = pool.Name switch { "n" => "n (normal)", "h" => "h (high priority)", "u" => "u (unbound)", _ => pool.Name };
        StateCell state = pool switch
        {
            { Hung.TotalSeconds: > 10, HasWaiting: true } => StateCell.State($"stalled {StateText.Of(pool.Hung)}", StateTone.Bad),
            { HasWaiting: true } => StateCell.State("work waits", StateTone.Warning),
            _ when pool.Workers > pool.Idle => StateCell.State("busy", StateTone.Busy),
            _ => StateCell.State("idle", StateTone.Quiet),
        };
        int running = Math.Min(pool.Running, pool.Workers - pool.Idle);
        return new StateRow(pool.Name, [name, state, StateCell.Number(pool.Workers), StateCell.Number(pool.Idle), StateCell.Number(running), StateCell.Number(pool.Workers - pool.Idle - running),
            pool.MaxRunning is { } most ? StateCell.Number(most) : new StateCell("any number") { Value = int.MaxValue }, StateCell.Rate(rate, trend)]);
    }

    private StateRow Row(WorkerSnapshot worker)
    {
        StateCell state = worker.State switch
        {
            WorkerState.Idle => StateCell.State("idle", StateTone.Quiet),
            WorkerState.Blocked => StateCell.State("blocked", StateTone.Warning),
            _ => StateCell.State("running", StateTone.Busy),
        };
        TimeSpan? duration = worker.Function is null ? null
            : snapshot.Workqueues.SelectMany(static queue => queue.InFlight).FirstOrDefault(item => item.Thread == worker.Name)?.Duration;
        return new StateRow(worker.Name, [worker.Name, state, worker.Function, StateCell.Time(duration), Thread(worker.ThreadId)]);
    }

    private StateSection Queues() => new("queues", "Workqueues")
    {
        Note = _queues.Any(static queue => queue.Queue.Ran is not null)
            ? "Times are those of about the last minute: the median, and what ninety-nine of a hundred stayed below."
            : "How long items wait and run is measured while this page is open.",
        Tables =
        [
            new("queues-all", "Workqueues",
                [
                    new("Queue"), new("State"), new("Running", true), new("Waiting", true), new("Places", true), new("Delayed", true), new("Queued", true),
                    new("Wait p50", true), new("p99", true), new("Run p50", true), new("p99", true), new("Pool"), new("Flags"),
                ],
                [.. _queues.Select(Row)])
            {
                Empty = "No workqueue has been made.",
            },
        ],
    };

    private StateRow Row((string Key, WorkqueueSnapshot Queue) named)
    {
        (string key, WorkqueueSnapshot queue) = named;
        (double rate, double[] trend) = trends.Rate($"queue {key}", queue.Queued);
        LatencySnapshot? waited = trends.Recent($"waited {key}", queue.Waited);
        LatencySnapshot? ran = trends.Recent($"ran {key}", queue.Ran);
        long waiting = Waiting(queue);
        StateCell state = queue switch
        {
            { IsDraining: true } => StateCell.State("draining", StateTone.Warning),
            { Inactive.Count: > 0 } => StateCell.State("full", StateTone.Warning),
            { Unfinished: > 0 } => StateCell.State("busy", StateTone.Busy),
            _ => StateCell.State("idle", StateTone.Quiet),
        };
        string most = queue.MaxActive == int.MaxValue ? "any" : queue.MaxActive.ToString("N0", CultureInfo.InvariantCulture);
        return new StateRow(key,
        [
            queue.Name, state, StateCell.Number(queue.InFlight.Count), StateCell.Number(waiting),
            new StateCell($"{queue.Active:N0} of {most}") { Value = queue.Active }, Count(queue.Delayed.Count), StateCell.Rate(rate, trend),
            StateCell.Time(waited?.Percentile(0.5)), StateCell.Time(waited?.Percentile(0.99)), StateCell.Time(ran?.Percentile(0.5)), StateCell.Time(ran?.Percentile(0.99)),
            queue.Pool, queue.Flags.Replace("|", " ", StringComparison.Ordinal),
        ]);
    }

    private StateSection Items()
    {
        var functions = new Dictionary<(string Queue, string Function), FunctionCounts>();
        bool isCut = false;
        foreach ((string key, WorkqueueSnapshot queue) in _queues)
        {
            isCut |= queue.InFlight.Count + queue.Pending.Count + queue.Inactive.Count < queue.Unfinished - 1 || queue.Delayed.Count >= maxItems;
            foreach (WorkItemSnapshot item in queue.InFlight)
            {
                FunctionCounts counts = Counts(key, item);
                counts.Running += item.IsAwaiting ? 0 : 1;
                counts.Awaiting += item.IsAwaiting ? 1 : 0;
                counts.Longest = Max(counts.Longest, item.Duration);
            }

            foreach (WorkItemSnapshot item in queue.Pending.Concat(queue.Inactive))
                Counts(key, item).Waiting++;
            foreach (WorkItemSnapshot item in queue.Delayed)
            {
                FunctionCounts counts = Counts(key, item);
                counts.Delayed++;
                counts.Next = counts.Next < item.DueIn ? counts.Next : item.DueIn;
            }
        }

        return new StateSection("items", "Items by function")
        {
            Note = isCut ? $"Of each queue the first {maxItems:N0} items are looked at; there are more." : null,
            Tables =
            [
                new("items-all", "Items by function",
                    [new("Function"), new("Queue"), new("Running", true), new("Awaiting", true), new("Waiting", true), new("Delayed", true), new("Longest run", true), new("Next due in", true)],
                    [.. functions.OrderByDescending(static pair => pair.Value.All).ThenBy(static pair => pair.Key).Select(static pair => Row(pair.Key, pair.Value))])
                {
                    Empty = "No item is queued, running or delayed.",
                },
            ],
        };

        FunctionCounts Counts(string queue, WorkItemSnapshot item)
        {
            if (!functions.TryGetValue((queue, item.Function), out FunctionCounts? counts))
                functions[(queue, item.Function)] = counts = new FunctionCounts();
            return counts;
        }

        static StateRow Row((string Queue, string Function) key, FunctionCounts counts) => new($"{key.Queue} {key.Function}",
        [
            key.Function, key.Queue, StateCell.Number(counts.Running), StateCell.Number(counts.Awaiting), StateCell.Number(counts.Waiting), StateCell.Number(counts.Delayed),
            StateCell.Time(counts.Longest), StateCell.Time(counts.Next),
        ]);
    }

    private StateSection Timers()
    {
        (WorkItemSnapshot Item, string Queue)[] timers =
            [.. _queues.SelectMany(static queue => queue.Queue.Delayed.Select(item => (Item: item, queue.Key))).OrderBy(static timer => timer.Item.DueIn)];
        return new StateSection("timers", "Timers")
        {
            Picture = TimerPicture.Of([.. timers.Select(static timer => timer.Item.DueIn ?? TimeSpan.Zero)]),
            Tables =
            [
                new("timers-next", "What comes due next", [new("Function"), new("Queue"), new("Due in", true)],
                    [.. timers.Take(MostTimers).Select(static (timer, index) => new StateRow($"{index}", [timer.Item.Function, timer.Queue, StateCell.Time(timer.Item.DueIn)]))])
                {
                    Total = timers.Length,
                    Empty = "No timer is armed.",
                },
            ],
        };
    }

    private StateSection Kthreads() => new("kthreads", "Kthreads")
    {
        Tables =
        [
            new("kthreads-all", "Kthreads", [new("Kthread"), new("State"), new("Waits for"), new("Runs"), new("In line", true), new("Thread", true)],
                [.. Keyed(snapshot.Kthreads, static kthread => kthread.Name).Select(static pair => Row(pair.Key, pair.Item))])
            {
                Empty = "No kthread runs.",
            },
        ],
    };

    private static StateRow Row(string key, KthreadSnapshot kthread)
    {
        StateCell state = kthread switch
        {
            { IsParked: true } => StateCell.State("parked", StateTone.Quiet),
            { ShouldStop: true } => StateCell.State("is to stop", StateTone.Warning),
            { IsWorker: true, Function: null } => StateCell.State("idle", StateTone.Quiet),
            { Waits: { } mode } => StateCell.State($"waits, {mode.ToString().ToLowerInvariant()}", StateTone.Quiet),
            _ => StateCell.State("running", StateTone.Busy),
        };
        StateCell waitsFor = StateCell.FromString(kthread.WaitsFor) with { Detail = kthread.WaitsAt };
        string runs = kthread.IsWorker ? kthread.Function ?? "" : "its own function";
        return new StateRow(key, [kthread.Name, state, waitsFor, runs, StateCell.Number(kthread.Pending.Count), Thread(kthread.ThreadId)]);
    }

    private StateSection Waits() => new("waits", "Who waits for whom")
    {
        Tables =
        [
            new("waits-all", "Waits", [new("Who"), new("On"), new("Waits for")],
                [.. snapshot.Waits.Select(static (wait, index) =>
                    new StateRow($"{index}", [wait.Waiter, wait.In, new StateCell(wait.Target) { Detail = wait.Stack }]))])
            {
                Empty = "No work function and no kthread waits for another.",
            },
        ],
    };

    private StateSection Helpers() => new("helpers", "Usermode helpers")
    {
        Facts = [new("Started so far", StateCell.Number(snapshot.Counters.HelpersStarted))],
        Tables =
        [
            new("helpers-running", "Running", [new("Program"), new("For", true), new("Process", true)],
                [.. snapshot.Helpers.Select(static helper => new StateRow($"{helper.ProcessId}",
                    [helper.Path, StateCell.Time(Positive(TimeProvider.System.GetUtcNow() - helper.Started)), Thread(helper.ProcessId)]))])
            {
                Empty = "No helper runs.",
            },
            new("helpers-ended", "Ended lately", [new("Program"), new("Result"), new("Ran for", true), new("Ended", true), new("Process", true)],
                [.. snapshot.RecentHelpers.Select(static helper => new StateRow($"{helper.ProcessId} {helper.Ended.Ticks}",
                    [
                        helper.Path, StateCell.State(helper.Status.ToString(), helper.Status.IsSuccess ? StateTone.Quiet : StateTone.Warning), StateCell.Time(helper.Duration),
                        Clock(helper.Ended), Thread(helper.ProcessId),
                    ]))])
            {
                Empty = "No helper has ended.",
            },
        ],
    };

    private StateSection Watchdog()
    {
        CountersSnapshot counters = snapshot.Counters;
        return new StateSection("watchdog", "Watchdog")
        {
            Facts =
            [
                Fact("Findings", counters.WatchdogReports), Fact("Exceptions of work functions", counters.WorkExceptions), Fact("Exceptions of kthreads", counters.KthreadExceptions),
                Fact("Deadlocks refused", counters.Deadlocks), Fact("Worker cap reached", counters.CapReached), Fact("Threads not to be had", counters.ThreadFailures),
                Fact("Calls for a rescuer", counters.Rescues),
            ],
            Tables =
            [
                new("findings", "Found lately", [new("When", true), new("What"), new("For", true), new("Function"), new("Thread or pool"), new("Queue")],
                    [.. snapshot.Reports.Select(static report => new StateRow($"{report.Time.Ticks} {report.Subject} {report.Function}",
                        [
                            Clock(report.Time), StateCell.State(What(report.Kind), StateTone.Bad), StateCell.Time(report.Duration), report.Function,
                            StateCell.FromString(report.Subject) with { Detail = report.Where.Length == 0 ? null : report.Where }, report.Queue,
                        ]))])
                {
                    Empty = "Nothing has gone on for too long.",
                },
            ],
        };

        static StateFact Fact(string name, long count) => new(name, count == 0 ? StateCell.Number(0) : StateCell.Number(count) with { Tone = StateTone.Warning });
    }

    private static string What(WatchdogKind kind) => kind switch
    {
        WatchdogKind.PoolStalled => "pool stalled",
        WatchdogKind.ItemRunsLong => "item runs long",
        _ => "task hung",
    };

    private static IEnumerable<(string Key, T Item)> Keyed<T>(IEnumerable<T> items, Func<T, string> name) =>
        items.GroupBy(name).SelectMany(static same => same.Select((item, index) => (index == 0 ? same.Key : $"{same.Key}#{index + 1}", item)));

    private static long Waiting(WorkqueueSnapshot queue) => Math.Max(0, queue.Unfinished - queue.InFlight.Count);

    private StateCell Count(int listed) => listed < maxItems ? StateCell.Number(listed) : new StateCell($"{listed:N0} or more") { Value = listed };

    private static StateCell Thread(int number) => number == 0 ? StateCell.None : new StateCell(number.ToString(CultureInfo.InvariantCulture)) { Value = number };

    private static StateCell Clock(DateTimeOffset time) =>
        new(time.ToUniversalTime().ToString("HH:mm:ss'Z'", CultureInfo.InvariantCulture)) { Value = time.ToUnixTimeMilliseconds() };

    private static TimeSpan Positive(TimeSpan time) => time > TimeSpan.Zero ? time : TimeSpan.Zero;

    private static TimeSpan? Max(TimeSpan? one, TimeSpan? other) => one is null || other > one ? other : one;

    private sealed class FunctionCounts
    {
        public int Running { get; set; }

        public int Awaiting { get; set; }

        public int Waiting { get; set; }

        public int Delayed { get; set; }

        public TimeSpan? Longest { get; set; }

        public TimeSpan? Next { get; set; }

        public int All => Running + Awaiting + Waiting + Delayed;
    }
}
