namespace Kworker.Hosting;

/// <summary>
/// Runs works in the background: after the request that queued them, each with services of a scope of its own. At shutdown what runs finishes, and what waits runs or is logged by name,
/// within the host's timeout. An exception is logged, and harms nobody else. Injected by its interface; see <see cref="KworkerBuilder.AddBackgroundQueue(Action{BackgroundQueueOptions})"/>.
/// </summary>
public interface IBackgroundQueue
{
    /// <summary>Queues a work. Its task is done when the work is in line, not when it has run; with <see cref="BackgroundQueueFullMode.Wait"/> that may take until there is room.</summary>
    /// <typeparam name="TService">A service, taken from a scope that lasts as long as the work; <see cref="IServiceProvider"/> for all of them.</typeparam>
    /// <param name="work">
    /// What is to be done. The token is cancelled when a shutdown's time is over. It must not use services of who queues it: those may be gone when it runs.
    /// </param>
    /// <param name="name">What it is called in logs and traces; the function's name unless given.</param>
    /// <param name="cancellationToken">Ends the wait for room; a work that is in line stays there.</param>
    /// <exception cref="BackgroundQueueFullException">The line is full, and the mode is <see cref="BackgroundQueueFullMode.Reject"/>.</exception>
    /// <exception cref="InvalidOperationException">The host has ended (or <see cref="ObjectDisposedException"/>, a kind of it). The work is not queued.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before there was room.</exception>
    ValueTask QueueAsync<TService>(Func<TService, CancellationToken, Task> work, string? name = null, CancellationToken cancellationToken = default)
        where TService : notnull;

    /// <summary>As <see cref="QueueAsync{TService}"/>, for a work that takes no services: it has no scope.</summary>
    /// <inheritdoc cref="QueueAsync{TService}" path="/*[not(self::summary) and not(self::typeparam)]"/>
    ValueTask QueueAsync(Func<CancellationToken, Task> work, string? name = null, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="QueueAsync{TService}"/>, but never waits, and returns false when there is no room.</summary>
    /// <typeparam name="TService">As for <see cref="QueueAsync{TService}"/>.</typeparam>
    /// <param name="work">What is to be done.</param>
    /// <param name="name">What it is called in logs and traces; the function's name unless given.</param>
    /// <exception cref="InvalidOperationException">The host has ended (or <see cref="ObjectDisposedException"/>, a kind of it). The work is not queued.</exception>
    bool TryQueue<TService>(Func<TService, CancellationToken, Task> work, string? name = null)
        where TService : notnull;

    /// <summary>As <see cref="TryQueue{TService}"/>, for a work that takes no services: it has no scope.</summary>
    /// <inheritdoc cref="TryQueue{TService}" path="/*[not(self::summary) and not(self::typeparam)]"/>
    bool TryQueue(Func<CancellationToken, Task> work, string? name = null);
}
