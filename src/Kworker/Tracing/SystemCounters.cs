namespace Kworker;

/// <summary>What a system counts that happens seldom, by interlocked increments. What happens often is counted where it happens, without them.</summary>
internal sealed class SystemCounters
{
    private long _workExceptions;
    private long _kthreadExceptions;
    private long _capReached;
    private long _threadsFailed;
    private long _rescues;
    private long _helpers;
    private long _stalls;

    internal long WorkExceptions => Volatile.Read(ref _workExceptions);

    internal long KthreadExceptions => Volatile.Read(ref _kthreadExceptions);

    internal long CapReached => Volatile.Read(ref _capReached);

    internal long ThreadsFailed => Volatile.Read(ref _threadsFailed);

    internal long Rescues => Volatile.Read(ref _rescues);

    internal long Helpers => Volatile.Read(ref _helpers);

    internal long Stalls => Volatile.Read(ref _stalls);

    internal CountersSnapshot ToSnapshot() => new()
    {
        WorkExceptions = WorkExceptions,
        KthreadExceptions = KthreadExceptions,
        WatchdogReports = Stalls,
        CapReached = CapReached,
        ThreadFailures = ThreadsFailed,
        Rescues = Rescues,
        HelpersStarted = Helpers,
        Deadlocks = WaitGraph.Reports,
    };

    internal void AddStall() => Interlocked.Increment(ref _stalls);

    internal void AddWorkException() => Interlocked.Increment(ref _workExceptions);

    internal void AddKthreadException() => Interlocked.Increment(ref _kthreadExceptions);

    internal void AddCapReached() => Interlocked.Increment(ref _capReached);

    internal void AddThreadFailed() => Interlocked.Increment(ref _threadsFailed);

    internal void AddRescue() => Interlocked.Increment(ref _rescues);

    internal void AddHelper() => Interlocked.Increment(ref _helpers);
}
