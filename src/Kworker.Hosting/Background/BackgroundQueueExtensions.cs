namespace Kworker.Hosting;

/// <summary>For works that take no services.</summary>
public static class BackgroundQueueExtensions
{
    /// <inheritdoc cref="IBackgroundQueue.QueueAsync"/>
    public static ValueTask QueueAsync(this IBackgroundQueue queue, Func<CancellationToken, Task> work, string? name = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentNullException.ThrowIfNull(work);
        return queue.QueueAsync<IServiceProvider>((_, token) => work(token), name ?? Work.NameOf(work), cancellationToken);
    }

    /// <inheritdoc cref="IBackgroundQueue.TryQueue"/>
    public static bool TryQueue(this IBackgroundQueue queue, Func<CancellationToken, Task> work, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(queue);
        ArgumentNullException.ThrowIfNull(work);
        return queue.TryQueue<IServiceProvider>((_, token) => work(token), name ?? Work.NameOf(work));
    }
}
