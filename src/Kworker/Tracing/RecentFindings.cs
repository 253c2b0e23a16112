namespace Kworker;

/// <summary>What the watchdog has found lately. Without the snapshots that it took: those would keep each other.</summary>
internal sealed class RecentFindings
{
    private const int Most = 32;

    private readonly Lock _lock = new();
    private readonly Queue<WatchdogReportSnapshot> _reports = []; // under _lock; the oldest first

    /// <summary>The latest first.</summary>
    internal WatchdogReportSnapshot[] Recent
    {
        get
        {
            lock (_lock)
                return [.. _reports.Reverse()];
        }
    }

    internal void Add(DateTimeOffset time, WatchdogEventArgs report)
    {
        lock (_lock)
        {
            if (_reports.Count == Most)
                _reports.Dequeue();
            _reports.Enqueue(new WatchdogReportSnapshot(time, report.Kind, report.Subject, report.Function, report.Queue, report.Duration, report.Where));
        }
    }
}
