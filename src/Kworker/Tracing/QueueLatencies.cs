namespace Kworker;

/// <summary>How long a queue's items wait and run, while somebody measures it. Made when the first is measured.</summary>
internal sealed class QueueLatencies
{
    private readonly LatencyTable _underWay = new();

    /// <summary>From queueing to beginning.</summary>
    internal LatencyHistogram Waited { get; } = new();

    /// <summary>From beginning to end, awaits included.</summary>
    internal LatencyHistogram Ran { get; } = new();

    /// <summary>Begins a measurement, of all systems of the process.</summary>
    internal static IDisposable Measure()
    {
        Listeners.CountMeasurement(1);
        return new Measurement();
    }

    /// <inheritdoc cref="LatencyTable.Queued"/>
    internal static void Queued(Work work, Workqueue queue) => queue.LatenciesToFill._underWay.Queued(work, queue.OwningSystem.TimeProvider);

    internal static void Begun(Work work, Workqueue queue)
    {
        if (queue.Latencies is { } latencies && latencies._underWay.Begun(work, queue.OwningSystem.TimeProvider) is { } waited)
            latencies.Waited.Add(waited);
    }

    internal static void Ended(Work work, Workqueue queue)
    {
        if (queue.Latencies is { } latencies && latencies._underWay.Ended(work, queue.OwningSystem.TimeProvider) is { } ran)
            latencies.Ran.Add(ran);
    }

    private sealed class Measurement : IDisposable
    {
        private int _isOver; // 0 → 1 once

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) != 0 || !Listeners.CountMeasurement(-1))
                return;
            foreach (Workqueue queue in KworkerMeter.Systems.SelectMany(static system => system.AliveQueues))
                queue.Latencies?._underWay.Clear();
        }
    }
}
