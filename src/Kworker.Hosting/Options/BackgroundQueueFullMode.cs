namespace Kworker.Hosting;

/// <summary>What a background queue does when its line is full.</summary>
public enum BackgroundQueueFullMode
{
    /// <summary>
    /// Who queues waits for room, in the order in which they came. A work of the queue that queues another there gets in at once: it would wait for its own end.
    /// </summary>
    Wait,

    /// <summary>Who queues gets a <see cref="BackgroundQueueFullException"/>, or false.</summary>
    Reject,

    /// <summary>The work that has waited longest is dropped, and logged by name.</summary>
    DropOldest,
}
