namespace Kworker;

/// <summary>How long a caller of a usermode helper waits (the kernel's UMH_* flags).</summary>
public enum HelperWait
{
    /// <summary>Not at all (UMH_NO_WAIT): the helper is started by a worker, the status is 0 whatever becomes of it.</summary>
    NoWait,

    /// <summary>Until the program was executed or could not be (UMH_WAIT_EXEC).</summary>
    WaitExec,

    /// <summary>Until the program ended (UMH_WAIT_PROC).</summary>
    WaitProc,

    /// <summary>As <see cref="WaitProc"/>, but <see cref="Kthread.Kill"/> of the kthread that waits ends the wait (UMH_WAIT_PROC | UMH_KILLABLE).</summary>
    Killable,
}
