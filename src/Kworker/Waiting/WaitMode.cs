namespace Kworker;

/// <summary>
/// Which signals sent to a kthread (<see cref="Kthread.Signal"/>, <see cref="Kthread.Kill"/>) end its wait: the kernel's task states.
/// A wait on a thread that is no kthread cannot be signalled. A <see cref="CancellationToken"/> ends a wait whatever its mode.
/// </summary>
public enum WaitMode
{
    /// <summary>No signal ends the wait (<c>TASK_UNINTERRUPTIBLE</c>).</summary>
    Uninterruptible,

    /// <summary>Any signal ends the wait (<c>TASK_INTERRUPTIBLE</c>).</summary>
    Interruptible,

    /// <summary>Only a fatal signal ends the wait (<c>TASK_KILLABLE</c>).</summary>
    Killable,
}
