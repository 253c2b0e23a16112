namespace Kworker;

/// <summary>What a system has counted since it was made.</summary>
public sealed record CountersSnapshot
{
    internal CountersSnapshot()
    {
    }

    /// <summary>Exceptions that left work functions.</summary>
    public long WorkExceptions { get; init; }

    /// <summary>Exceptions that left kthreads' functions.</summary>
    public long KthreadExceptions { get; init; }

    /// <summary>What the watchdog has found.</summary>
    public long WatchdogReports { get; init; }

    /// <summary>How often a pool wanted a worker more than its cap allows.</summary>
    public long CapReached { get; init; }

    /// <summary>Worker threads that could not be made.</summary>
    public long ThreadFailures { get; init; }

    /// <summary>Calls for a rescuer, because no worker could be had.</summary>
    public long Rescues { get; init; }

    /// <summary>Usermode helpers started.</summary>
    public long HelpersStarted { get; init; }

    /// <summary>Waits refused because they would never have ended; of all systems of the process.</summary>
    public long Deadlocks { get; init; }
}
