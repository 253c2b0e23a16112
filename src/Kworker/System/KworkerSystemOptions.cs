namespace Kworker;

/// <summary>How a <see cref="KworkerSystem"/> is set up.</summary>
public sealed class KworkerSystemOptions
{
    /// <summary>The clock of timers and timeouts; the system's unless given. A test gives its fake one.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>Where an exception goes that left a work function and that no handler took; to standard error unless given.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Whether what the watchdog finds goes to <see cref="Log"/>, too; not where a handler of <see cref="KworkerSystem.Stalled"/> writes it down.</summary>
    public bool LogStalls { get; init; } = true;

    /// <summary>
    /// After how long a pool that begins no item while some wait is reported as stalled; 30 seconds unless given, as in the kernel (<c>watchdog_thresh</c> of its
    /// workqueues). <see cref="Timeout.InfiniteTimeSpan"/>: never. See <see cref="KworkerSystem.Stalled"/>.
    /// </summary>
    public TimeSpan PoolStallLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After how long a work function that has not returned, or whose task is not done, is reported; 30 seconds unless given.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan LongItemLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// After how long a kthread in a wait that is <see cref="WaitMode.Uninterruptible"/> and has no timeout is reported; 120 seconds unless given, as in the kernel
    /// (<c>hung_task_timeout_secs</c>). A kthread that waits for something to do waits <see cref="WaitMode.Interruptible"/>, and for as long as it likes.
    /// <see cref="Timeout.InfiniteTimeSpan"/>: never.
    /// </summary>
    public TimeSpan HungTaskLimit { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>
    /// Keeps the stack of each call that queues an item, and of waits as they begin, for reports of deadlocks and stalls. It costs some ten microseconds each: for the
    /// hunt for a fault, not for every day. (A listener to the event source can ask for it at run time, see docs/tracing.md.) It holds for the whole process while such
    /// a system lives.
    /// </summary>
    public bool RecordStacks { get; init; }

    /// <summary>How many workers of a pool run at once; for tests.</summary>
    internal int Processors { get; init; } = Environment.ProcessorCount;

    /// <summary>Timers of these limits, driven by a thread of their own whatever the clock; for tests.</summary>
    internal TimerLimits? OwnTimerThread { get; init; }

    /// <summary>Sees every park and wake-up; for tests.</summary>
    internal TaskObserver? Observer { get; init; }

    /// <summary>Whether a thread looks for workers that block unannounced; not where schedules are explored or replayed.</summary>
    internal bool Monitor { get; init; } = true;

    /// <summary>A bound on a pool's threads against a run-away program; work beyond it waits.</summary>
    internal int MaxWorkers { get; init; } = 8192;

    /// <summary>Asked before a thread of a pool is made; throws what the making is to throw. For tests.</summary>
    internal Action<string>? BeforeThread { get; init; }
}
