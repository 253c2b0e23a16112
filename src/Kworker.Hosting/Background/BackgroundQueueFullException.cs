namespace Kworker.Hosting;

/// <summary>A background queue takes no work now: as many wait in line as may.</summary>
public sealed class BackgroundQueueFullException : Exception
{
    /// <inheritdoc/>
    public BackgroundQueueFullException()
        : base("The background queue is full.")
    {
    }

    /// <inheritdoc/>
    public BackgroundQueueFullException(string? message)
        : base(message)
    {
    }

    /// <inheritdoc/>
    public BackgroundQueueFullException(string? message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
