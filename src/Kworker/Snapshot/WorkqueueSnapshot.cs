namespace Kworker;

/// <summary>A workqueue at one moment.</summary>
public sealed record WorkqueueSnapshot
{
    internal WorkqueueSnapshot()
    {
    }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>The pool whose workers run its items.</summary>
    public required string Pool { get; init; }

    /// <summary>What it was made with, by the kernel's names: <c>WQ_UNBOUND|WQ_HIGHPRI</c> and so on; empty for none.</summary>
    public required string Flags { get; init; }

    /// <summary>It is being drained, and takes only its own items.</summary>
    public required bool IsDraining { get; init; }

    /// <summary>Items that hold a place: pending for a worker, running, or awaiting.</summary>
    public required int Active { get; init; }

    /// <summary>How many may.</summary>
    public required int MaxActive { get; init; }

    /// <summary>Items and flushes that are queued and have not finished; exact, however many are listed.</summary>
    public required int Unfinished { get; init; }

    /// <summary>Items put in line since it was made: two snapshots give a rate.</summary>
    public long Queued { get; init; }

    /// <summary>How long items have waited from queueing to their beginning; null when that was never measured (<see cref="KworkerSystem.MeasureLatencies"/>).</summary>
    public LatencySnapshot? Waited { get; init; }

    /// <summary>How long items have run, awaits included; null when that was never measured.</summary>
    public LatencySnapshot? Ran { get; init; }

    /// <summary>Items whose functions run, or await.</summary>
    public required IReadOnlyList<WorkItemSnapshot> InFlight { get; init; }

    /// <summary>Items that wait for a worker, in their order; no more than were asked for.</summary>
    public required IReadOnlyList<WorkItemSnapshot> Pending { get; init; }

    /// <summary>Items that wait for a place among <see cref="MaxActive"/>, in their order; no more than were asked for.</summary>
    public required IReadOnlyList<WorkItemSnapshot> Inactive { get; init; }

    /// <summary>Items whose time runs; no more than were asked for.</summary>
    public required IReadOnlyList<WorkItemSnapshot> Delayed { get; init; }
}

/// <summary>An item at one moment.</summary>
public sealed record WorkItemSnapshot
{
    internal WorkItemSnapshot()
    {
    }

    /// <summary>Its function.</summary>
    public required string Function { get; init; }

    /// <summary>The thread that runs it; null when none does.</summary>
    public string? Thread { get; init; }

    /// <summary>It is an async function in an await: it holds no thread.</summary>
    public bool IsAwaiting { get; init; }

    /// <summary>For how long it has run, at least: as the watchdog has seen it. Null when it has not seen it yet.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>When a delayed item comes due, from now; null for others.</summary>
    public TimeSpan? DueIn { get; init; }

    /// <summary>The stack that queued it; null unless stacks are recorded.</summary>
    public string? QueuedAt { get; init; }
}
