using System.Diagnostics;

namespace Kworker;

/// <summary>Which programs the helpers that run are, and what the last ones ended with: for snapshots. Beside who waits for them, and never in its way.</summary>
internal sealed class HelperLedger
{
    private const int Most = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Entry> _running = []; // under _lock; by process id
    private readonly Queue<HelperResultSnapshot> _results = []; // under _lock; the oldest first

    /// <summary>The latest first.</summary>
    internal HelperResultSnapshot[] Recent
    {
        get
        {
            lock (_lock)
                return [.. _results.Reverse()];
        }
    }

    /// <summary>Notes a start; who is told of the end tells it here first.</summary>
    internal Action<int> Started(string path, int pid, Action<int>? ended)
    {
        lock (_lock)
            _running[pid] = new Entry(path, Stopwatch.GetTimestamp(), TimeProvider.System.GetUtcNow());
        return status =>
        {
            Ended(pid, status);
            ended?.Invoke(status);
        };
    }

    internal void Ended(int pid, int waitStatus)
    {
        lock (_lock)
        {
            if (_running.Remove(pid, out Entry? entry))
                Add(new HelperResultSnapshot(pid, entry.Path, TimeProvider.System.GetUtcNow(), Stopwatch.GetElapsedTime(entry.StartedAt), HelperStatus.Ended(waitStatus)));
        }
    }

    internal void NotStarted(string path, HelperStatus status)
    {
        lock (_lock)
            Add(new HelperResultSnapshot(0, path, TimeProvider.System.GetUtcNow(), TimeSpan.Zero, status));
    }

    /// <summary>What runs; of all that do, where the platform does not tell.</summary>
    internal HelperSnapshot[] RunningAmong(int[] processIds)
    {
        lock (_lock)
        {
            IEnumerable<int> running = OperatingSystem.IsLinux() ? processIds.Where(_running.ContainsKey) : _running.Keys;
            return [.. running.Select(pid => new HelperSnapshot(pid, _running[pid].Path, _running[pid].Started))];
        }
    }

    private void Add(HelperResultSnapshot result)
    {
        if (_results.Count == Most)
            _results.Dequeue();
        _results.Enqueue(result);
    }

    private sealed record Entry(string Path, long StartedAt, DateTimeOffset Started);
}
