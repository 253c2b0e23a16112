using System.Diagnostics;

namespace Kworker;

/// <summary>
/// What owns worker pools, timers and the clock. Static members (<see cref="Workqueue.System"/>, <see cref="Work.Schedule"/>) and
/// waits with a timeout use <see cref="Current"/>: that of the work item or kthread that calls, elsewhere <see cref="Default"/>.
/// All members are safe to call from any thread.
/// </summary>
[DebuggerDisplay("{DebuggerDisplay,nq}")]
public sealed partial class KworkerSystem : IDisposable, IAsyncDisposable
{
    private static KworkerSystem? s_default;

    [ThreadStatic]
    private static KworkerSystem? t_current;

    private readonly Action<string> _log;
    private readonly bool _recordsStacks;
    private readonly Lock _queuesLock = new();
    private readonly List<Workqueue> _queues = []; // those alive, under _queuesLock
    private readonly Workqueue?[] _systemQueues = new Workqueue?[4]; // under _queuesLock, made when first used

    /// <summary>Makes a system of its own. Its threads start when they are first needed.</summary>
    public KworkerSystem(KworkerSystemOptions? options = null)
    {
        options ??= new KworkerSystemOptions();
        Listeners.EnsureCreated();
        _recordsStacks = options.RecordStacks;
        if (_recordsStacks)
            Listeners.CountSystemWithStacks(1);
        TimeProvider = options.TimeProvider;
        Observer = options.Observer;
        LogsStalls = options.LogStalls;
        _log = options.Log ?? (static text => Console.Error.WriteLine(text));
        bool ownTimerThread = ReferenceEquals(TimeProvider, TimeProvider.System) || options.OwnTimerThread is not null;
        Timers = new TimerBase(TimeProvider, ownTimerThread, options.OwnTimerThread);
        Watchdog = new Watchdog(this, options);
        int processors = options.Processors;
        Normal = new WorkerPool(this, "n", processors, options.MaxWorkers);
        HighPriority = new WorkerPool(this, "h", processors, options.MaxWorkers) { Priority = ThreadPriority.AboveNormal };
        Unbound = new WorkerPool(this, "u", WorkerPool.Unmanaged, options.MaxWorkers);
        RunLock = new RunLock(Normal, HighPriority, Unbound);
        BeforeThread = options.BeforeThread;
        Monitor = options.Monitor && options.Observer is null ? new PoolMonitor(this, [Normal, HighPriority]) : null;
        KworkerMeter.Add(this);
    }

    /// <summary>The process-wide system; a host replaces it with its own, so that nothing escapes the host's drain at shutdown.</summary>
    public static KworkerSystem Default
    {
        get
        {
            if (s_default is { } existing)
                return existing;
            var made = new KworkerSystem();
            return Interlocked.CompareExchange(ref s_default, made, null) ?? made;
        }

        set
        {
            ArgumentNullException.ThrowIfNull(value);
            s_default = value;
        }
    }

    /// <summary>That of the work item or kthread that calls, elsewhere <see cref="Default"/>.</summary>
    public static KworkerSystem Current => t_current ?? Default;

    /// <summary>
    /// An exception left a work function of a queue on whose <see cref="Workqueue.UnhandledException"/> nobody listens. Raised on the worker, the sender is the queue. With
    /// no handler, and when a handler throws, the <see cref="KworkerSystemOptions.Log"/> has it.
    /// </summary>
    public event EventHandler<WorkExceptionEventArgs>? UnhandledException;

    /// <summary>The clock that its timers and timeouts follow.</summary>
    public TimeProvider TimeProvider { get; }

    internal EventHandler<WorkExceptionEventArgs>? ExceptionHandler => UnhandledException;

    internal TimerBase Timers { get; }

    internal WorkerPool Normal { get; }

    internal WorkerPool HighPriority { get; }

    internal WorkerPool Unbound { get; }

    internal TaskObserver? Observer { get; }

    /// <summary>Looks for workers that block unannounced; null where none is to.</summary>
    internal PoolMonitor? Monitor { get; }

    internal Action<string>? BeforeThread { get; }

    /// <summary>Its usermode helpers.</summary>
    internal HelperGate Helpers { get; } = new();

    /// <summary>Its kthreads.</summary>
    internal SystemRegistry Registry { get; } = new();

    /// <summary>Looks for what goes on for too long.</summary>
    internal Watchdog Watchdog { get; }

    /// <summary>What seldom happens in it.</summary>
    internal SystemCounters Counters { get; } = new();

    /// <summary>Guards all lists of queues, pools and workers, and what is counted about them.</summary>
    internal RunLock RunLock { get; }

    /// <summary>The calling thread belongs to <paramref name="system"/> from here on.</summary>
    internal static void Enter(KworkerSystem system) => t_current = system;

    internal Workqueue SystemQueue(SystemQueueKind kind)
    {
        lock (_queuesLock)
        {
            return _systemQueues[(int)kind] ??= kind switch
            {
                SystemQueueKind.HighPriority => new Workqueue("events_highpri", new WorkqueueOptions { HighPriority = true }, this),
                SystemQueueKind.Long => new Workqueue("events_long", null, this),
                SystemQueueKind.Unbound => new Workqueue("events_unbound", new WorkqueueOptions { Unbound = true, MaxActive = 512 }, this),
                _ => new Workqueue("events", null, this),
            };
        }
    }

    internal void Register(Workqueue queue)
    {
        lock (_queuesLock)
            _queues.Add(queue);
    }

    internal void Unregister(Workqueue queue)
    {
        lock (_queuesLock)
            _queues.Remove(queue);
    }

    /// <summary>Lets the rest of an awaiting method run on a worker.</summary>
    internal void QueueContinuation(DeferredItem item) => Normal.GoOn(item);

    /// <summary>Never throws: it is called where an exception would end a worker or the timers.</summary>
    internal void Log(string text)
    {
        try
        {
            _log(text);
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"{text} (and the log failed: {e.Message})");
        }
    }

    /// <summary>
    /// Refuses usermode helpers and waits for the calls of them that are under way, drains and disposes every workqueue that is left, then
    /// ends timers and workers. Kthreads are their makers' to stop. Helpers that nobody waits for run on, and are reaped.
    /// Call it from outside: not from a work function of this system. It waits for as long as it takes; <see cref="ShutdownAsync"/> has a limit. The second call, and one
    /// after that, does nothing.
    /// </summary>
    public void Dispose()
    {
        if (!TryBeginEnd())
            return;
        Helpers.Drain();
        while (TakeQueue() is { } queue)
            queue.Dispose();
        Helpers.Stop();
        EndThreads();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        if (!TryBeginEnd())
            return;
        await Helpers.DrainAsync();
        while (TakeQueue() is { } queue)
            await queue.DisposeAsync();
        Helpers.Stop();
        EndThreads();
    }

    private Workqueue? TakeQueue()
    {
        lock (_queuesLock)
            return _queues.LastOrDefault();
    }

    private void EndThreads()
    {
        KworkerMeter.Remove(this);
        if (_recordsStacks)
            Listeners.CountSystemWithStacks(-1);
        Monitor?.Dispose();
        Timers.Dispose();
        Normal.Shutdown();
        HighPriority.Shutdown();
        Unbound.Shutdown();
        Seam.Write(ref _end, Ended);
    }

    private string DebuggerDisplay => $"{Normal}; {HighPriority}; {Unbound}";
}

/// <summary>The queues that every system has (<c>system_wq</c>, <c>system_highpri_wq</c>, <c>system_long_wq</c>, <c>system_unbound_wq</c>).</summary>
internal enum SystemQueueKind
{
    Normal,
    HighPriority,
    Long,
    Unbound,
}
