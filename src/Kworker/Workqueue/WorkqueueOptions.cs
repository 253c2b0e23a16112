namespace Kworker;

/// <summary>How a <see cref="Workqueue"/> runs its items (the flags of <c>alloc_workqueue</c>).</summary>
public sealed class WorkqueueOptions
{
    /// <summary><see cref="MaxActive"/> unless told otherwise (<c>WQ_DFL_ACTIVE</c>).</summary>
    public const int DefaultMaxActive = 256;

    /// <summary>
    /// How many items of the queue may be at work at once, sleeping and awaiting ones counted; the rest waits in order. At least 1; <see cref="int.MaxValue"/> is no bound.
    /// </summary>
    public int MaxActive { get; set; } = DefaultMaxActive;

    /// <summary>One item at a time, in the order of queueing (<c>alloc_ordered_workqueue</c>); <see cref="MaxActive"/> is then 1.</summary>
    public bool Ordered { get; set; }

    /// <summary>Each item starts as soon as it is active, however many run: for long or CPU-bound items (<c>WQ_UNBOUND</c>).</summary>
    public bool Unbound { get; set; }

    /// <summary>
    /// On workers of their own and of higher priority (<c>WQ_HIGHPRI</c>), so they wait for no item of other queues. Linux has no thread priorities of .NET: there it is only
    /// workers of their own. Not together with <see cref="Unbound"/> or <see cref="Ordered"/>.
    /// </summary>
    public bool HighPriority { get; set; }

    /// <summary>
    /// Its items compute for long (<c>WQ_CPU_INTENSIVE</c>): a worker does not count as running while it executes one, so they hold up no other queue's items.
    /// </summary>
    public bool CpuIntensive { get; set; }

    /// <summary>
    /// It makes progress even when no thread can be created (<c>WQ_MEM_RECLAIM</c>): it has a thread of its own from the beginning, its rescuer, that runs its items, one
    /// at a time, when the pool cannot. For queues on which others wait to free what is scarce.
    /// </summary>
    public bool MemReclaim { get; set; }

    /// <summary>
    /// What waits for its time on this queue when the system is shut down (<see cref="KworkerSystem.ShutdownAsync"/>) is run then. Unless set it is given up, and reported.
    /// </summary>
    public bool RunDelayedAtShutdown { get; set; }

    /// <summary>
    /// Each item runs in the <see cref="ExecutionContext"/> (<see cref="AsyncLocal{T}"/>, culture) of the call that queued it, or, for a delayed item, that armed it last. Unless set it
    /// runs in that of the worker, which is empty. Not for what the queue runs as <see cref="Workqueue.TaskScheduler"/> or
    /// <see cref="Workqueue.SynchronizationContext"/>: tasks and async methods bring their own.
    /// </summary>
    public bool FlowExecutionContext { get; set; }
}
