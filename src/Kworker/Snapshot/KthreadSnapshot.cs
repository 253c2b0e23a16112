namespace Kworker;

/// <summary>A kthread at one moment.</summary>
public sealed record KthreadSnapshot
{
    internal KthreadSnapshot()
    {
    }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The operating system's number of its thread; zero where that is not known.</summary>
    public required int ThreadId { get; init; }

    /// <summary>It is parked.</summary>
    public required bool IsParked { get; init; }

    /// <summary>It was asked to stop.</summary>
    public required bool ShouldStop { get; init; }

    /// <summary>How it waits in a wait of this library; null when it is in none.</summary>
    public required WaitMode? Waits { get; init; }

    /// <summary>What it waits for, when <see cref="Waits"/> is not null: a completion, a wait queue, to be unparked, or (a kthread worker) for something to do.</summary>
    public string? WaitsFor { get; init; }

    /// <summary>The stack at the beginning of its wait; null unless stacks are recorded.</summary>
    public string? WaitsAt { get; init; }

    /// <summary>
    /// For how long it has been in a wait that nothing but the end of the wait can end, at least: as the watchdog has seen it. Null when it is in none, or was not seen in it.
    /// </summary>
    public TimeSpan? Waited { get; init; }

    /// <summary>It is the thread of a kthread worker.</summary>
    public required bool IsWorker { get; init; }

    /// <summary>What a kthread worker runs; null when nothing, or for other kthreads.</summary>
    public string? Function { get; init; }

    /// <summary>What waits in a kthread worker's line, in its order; no more than were asked for.</summary>
    public required IReadOnlyList<string> Pending { get; init; }

    /// <summary>Items of a kthread worker whose time runs; no more than were asked for.</summary>
    public IReadOnlyList<WorkItemSnapshot> Delayed { get; init; } = [];
}
