namespace Kworker;

/// <content>What is alive in it.</content>
public sealed partial class KworkerSystem
{
    /// <summary>How many items of a queue a snapshot lists unless told otherwise.</summary>
    public const int DefaultSnapshotItems = 256;

    /// <summary>
    /// Everything that is alive in this system: queues, items, pools, workers, kthreads, helpers. Items, queues and pools are seen at one moment; timers, kthreads and helpers right
    /// after it. It costs some microseconds and one for each thread and item that is listed; work goes on but for a few of them.
    /// </summary>
    /// <param name="maxItems">How many items of each queue are listed, pending and inactive ones together; the counts are exact all the same.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxItems"/> is negative.</exception>
    public KworkerSnapshot Snapshot(int maxItems = DefaultSnapshotItems)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxItems);
        return new SnapshotCollector(this, maxItems).Take();
    }

    /// <summary>
    /// The watchdog has found something that goes on for too long: a pool, an item, a kthread; once for each. The limits are those of the
    /// <see cref="KworkerSystemOptions"/>. The <see cref="KworkerSystemOptions.Log"/> (unless told otherwise) and the event source have it, too. Raised on the timers' thread: handlers must not block.
    /// </summary>
    public event EventHandler<WatchdogEventArgs>? Stalled;

    /// <summary>
    /// Measures how long items wait in their queues and how long they run, until what is returned is disposed of; the snapshots of queues have it
    /// (<see cref="WorkqueueSnapshot.Waited"/>, <see cref="WorkqueueSnapshot.Ran"/>). It costs nothing while nobody asks, and some tens of nanoseconds for each item while
    /// somebody does, in whatever system of the process. Where many items of a queue are under way at once some of them are measured, not all.
    /// </summary>
    public static IDisposable MeasureLatencies() => QueueLatencies.Measure();

    internal RecentFindings Findings { get; } = new();

    internal bool LogsStalls { get; }

    internal void Report(WatchdogEventArgs report)
    {
        Findings.Add(TimeProvider.GetUtcNow(), report);
        Counters.AddStall();
        TracePoints.Stalled(report);
        if (LogsStalls)
            Log($"kworker: {report}");
        try
        {
            Stalled?.Invoke(this, report);
        }
        catch (Exception e)
        {
            Log($"kworker: the handler of {nameof(Stalled)} failed: {e}");
        }
    }

    internal IEnumerable<WorkerPool> Pools => [Normal, HighPriority, Unbound];

    internal Workqueue[] AliveQueues
    {
        get
        {
            lock (_queuesLock)
                return [.. _queues];
        }
    }
}
