using System.Diagnostics.Metrics;

namespace Kworker;

/// <summary>
/// The meter named "Kworker". All its instruments are observed: who collects asks the systems that live for what they count anyway, so that what is measured pays
/// nothing for being measured.
/// </summary>
internal static class KworkerMeter
{
    private static readonly Lock s_lock = new();
    private static readonly List<WeakReference<KworkerSystem>> s_systems = []; // under s_lock
    private static Meter? s_meter; // under s_lock, made with the first system

    internal static void Add(KworkerSystem system)
    {
        lock (s_lock)
        {
            s_systems.Add(new WeakReference<KworkerSystem>(system));
            s_meter ??= MakeMeter();
        }
    }

    internal static void Remove(KworkerSystem system)
    {
        lock (s_lock)
            s_systems.RemoveAll(reference => !reference.TryGetTarget(out KworkerSystem? other) || ReferenceEquals(other, system));
    }

    /// <summary>Those that live.</summary>
    internal static KworkerSystem[] Systems
    {
        get
        {
            lock (s_lock)
                return [.. s_systems.Select(static reference => reference.TryGetTarget(out KworkerSystem? system) ? system : null).OfType<KworkerSystem>()];
        }
    }

    private static Meter MakeMeter()
    {
        var meter = new Meter(TraceNames.Source);
        Counter("kworker.work.queued", "{item}", "Items put in line.", ByQueue(static counts => counts.Queued));
        Counter("kworker.work.executed", "{item}", "Runs of items begun.", static s => s.Pools.Select(pool => new Measurement<long>(s.Registry.RunsOf(pool), Tag("pool", pool.Name))));
        Counter("kworker.work.exceptions", "{exception}", "Exceptions that left work functions.", static s => [new(s.Counters.WorkExceptions)]);
        Counter("kworker.kthread.exceptions", "{exception}", "Exceptions that left kthreads' functions.", static s => [new(s.Counters.KthreadExceptions)]);
        Counter("kworker.watchdog.reports", "{report}", "Stalls and hung tasks that the watchdog has found.", static s => [new(s.Counters.Stalls)]);
        Counter("kworker.pool.cap_reached", "{time}", "How often a pool wanted a worker more than its cap allows.", static s => [new(s.Counters.CapReached)]);
        Counter("kworker.pool.thread_failures", "{failure}", "Worker threads that could not be made.", static s => [new(s.Counters.ThreadsFailed)]);
        Counter("kworker.pool.rescues", "{call}", "Calls for a rescuer, because no worker could be had.", static s => [new(s.Counters.Rescues)]);
        Counter("kworker.helpers.started", "{helper}", "Usermode helpers started.", static s => [new(s.Counters.Helpers)]);
        meter.CreateObservableCounter("kworker.deadlocks", static () => WaitGraph.Reports, "{report}", "Waits refused because they would never have ended.");
        Gauge("kworker.queue.unfinished", "{item}", "Items and flushes queued and not finished.", ByQueue(static counts => counts.Unfinished));
        Gauge("kworker.pool.workers", "{thread}", "Workers.", static s => s.Pools.SelectMany(static pool =>
        {
            PoolCounts counts = pool.LockAndCount();
            int blocked = Math.Max(0, counts.Workers - counts.Idle - counts.Running);
            return new Measurement<long>[]
            {
                new(counts.Idle, Tag("pool", pool.Name), Tag("state", "idle")),
                new(Math.Min(counts.Running, counts.Workers), Tag("pool", pool.Name), Tag("state", "running")),
                new(blocked, Tag("pool", pool.Name), Tag("state", "blocked")),
            };
        }));
        Gauge("kworker.kthreads", "{thread}", "Kthreads that have begun and not ended.", static s => [new(s.Registry.KthreadCount)]);
        Gauge("kworker.helpers.running", "{helper}", "Usermode helpers that have not ended.", static s => [new(s.Helpers.Running)]);
        return meter;

        void Counter(string name, string unit, string description, Func<KworkerSystem, IEnumerable<Measurement<long>>> observe) =>
            meter.CreateObservableCounter(name, () => Systems.SelectMany(observe), unit, description);

        void Gauge(string name, string unit, string description, Func<KworkerSystem, IEnumerable<Measurement<long>>> observe) =>
            meter.CreateObservableUpDownCounter(name, () => Systems.SelectMany(observe), unit, description);
    }

    private static Func<KworkerSystem, IEnumerable<Measurement<long>>> ByQueue(Func<QueueCounts, long> value) => system =>
    {
        Workqueue[] queues = system.AliveQueues;
        var all = new QueueCounts[queues.Length];
        system.RunLock.Enter();
        for (int i = 0; i < queues.Length; i++)
            all[i] = queues[i].Count();
        system.RunLock.Exit();
        return all.Select(counts => new Measurement<long>(value(counts), Tag("workqueue", counts.Queue.Name)));
    };

    private static KeyValuePair<string, object?> Tag(string name, string value) => new($"kworker.{name}", value);
}
