namespace Kworker;

/// <summary>
/// What a queue's items have been queued between two flushes: a flush closes the epoch and waits until it and all before it are empty.
/// (The kernel uses a ring of colours for the same.) All fields are guarded by the run lock.
/// </summary>
internal sealed class FlushEpoch
{
    /// <summary>Items and barriers of this epoch that have not finished.</summary>
    internal int InFlight;

    /// <summary>A flush waits: no item is added any more.</summary>
    internal bool IsClosed;

    /// <summary>The epoch that came after; set when this one is closed.</summary>
    internal FlushEpoch? Next;

    /// <summary>Link of those that <see cref="RunLock.Exit"/> completes.</summary>
    internal FlushEpoch? NextFinished;

    /// <summary>Completed for good when this epoch and all before it are empty.</summary>
    internal Completion Done { get; } = new();
}
