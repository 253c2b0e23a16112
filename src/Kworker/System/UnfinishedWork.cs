namespace Kworker;

/// <summary>A work item that the end of its system left undone, or interrupted; see <see cref="KworkerSystem.ShutdownAsync"/>.</summary>
public sealed record UnfinishedWork
{
    internal UnfinishedWork()
    {
    }

    /// <summary>The item's name: its function, or what an <see cref="INamedWork"/> calls it.</summary>
    public required string Name { get; init; }

    /// <summary>The name of the queue that it was on.</summary>
    public required string Queue { get; init; }

    /// <summary>What became of it.</summary>
    public required UnfinishedState State { get; init; }

    /// <summary>When an item that waited for its time would have come due, from when it was given up; null for others.</summary>
    public TimeSpan? DueIn { get; init; }

    /// <summary>For how long one that has begun has run, at least: as the watchdog has seen it. Null when it has not seen it.</summary>
    public TimeSpan? Duration { get; init; }

    /// <inheritdoc/>
    public override string ToString() => State switch
    {
        UnfinishedState.Delayed => $"{Name} (queue {Queue}) waited for its time, {DueIn?.TotalSeconds:0.###} s more: not run",
        UnfinishedState.Waiting => $"{Name} (queue {Queue}) waited in line: not run",
        UnfinishedState.Interrupted => $"{Name} (queue {Queue}) was running and was told to stop: it has ended",
        _ => $"{Name} (queue {Queue}) has not ended",
    };
}

/// <summary>What became of an item that was left undone.</summary>
public enum UnfinishedState
{
    /// <summary>Its time had not come: it was taken back.</summary>
    Delayed,

    /// <summary>It was queued and had not begun: it was taken back.</summary>
    Waiting,

    /// <summary>An async function that was told to stop by its token, and has ended since; whether it had done its work only it knows.</summary>
    Interrupted,

    /// <summary>It was still running when there was no time left to wait for it.</summary>
    Running,
}
