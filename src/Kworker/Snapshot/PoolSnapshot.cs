namespace Kworker;

/// <summary>A worker pool at one moment.</summary>
public sealed record PoolSnapshot
{
    internal PoolSnapshot()
    {
    }

    /// <summary>Its name: its workers are called <c>kworker/NAME:n</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its workers.</summary>
    public required int Workers { get; init; }

    /// <summary>Of these, those that idle.</summary>
    public required int Idle { get; init; }

    /// <summary>Of these, those that run: neither idle nor blocked in a wait. As many as there are workers for a pool that does not count them.</summary>
    public required int Running { get; init; }

    /// <summary>How many may run at once; null for a pool that starts each item at once.</summary>
    public required int? MaxRunning { get; init; }

    /// <summary>Items wait for a worker.</summary>
    public required bool HasWaiting { get; init; }

    /// <summary>For how long items have waited while none was begun, as the watchdog has seen it; zero when the pool goes on.</summary>
    public required TimeSpan Hung { get; init; }

    /// <summary>How many runs of items its workers have begun so far.</summary>
    public long Executed { get; init; }

    /// <summary>What its threads do.</summary>
    public required IReadOnlyList<WorkerSnapshot> Threads { get; init; }
}

/// <summary>A worker's thread at one moment.</summary>
/// <param name="Name">The thread's name.</param>
/// <param name="ThreadId">The operating system's number of it; zero where that is not known.</param>
/// <param name="Function">The function that it runs; null when none.</param>
/// <param name="State">Whether it idles, runs, or is blocked, by its own announcement or as the monitor has found it.</param>
public sealed record WorkerSnapshot(string Name, int ThreadId, string? Function, WorkerState State);

/// <summary>What a worker is at.</summary>
public enum WorkerState
{
    /// <summary>It waits for work.</summary>
    Idle,

    /// <summary>It looks for work, or executes it, and counts as running.</summary>
    Running,

    /// <summary>What it executes waits or blocks: another worker may run in its place.</summary>
    Blocked,
}
