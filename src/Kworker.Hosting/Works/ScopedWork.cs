using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting;

/// <summary>
/// The work item of an <see cref="IScopedWork"/>, which is injected where it is to be queued. All rules of work items hold: queued while it waits it runs once, and it never runs
/// twice at the same time.
/// </summary>
/// <typeparam name="TWork">The work.</typeparam>
public sealed class ScopedWork<TWork> : INamedWork
    where TWork : class, IScopedWork
{
    private readonly IServiceScopeFactory _scopes;

    /// <summary>One of its own, beside the one that <see cref="KworkerBuilder.AddWork"/> adds: for tests.</summary>
    /// <param name="scopes">Where the scopes are from.</param>
    /// <param name="workqueue">The queue that it runs on.</param>
    public ScopedWork(IServiceScopeFactory scopes, Workqueue workqueue)
    {
        ArgumentNullException.ThrowIfNull(scopes);
        ArgumentNullException.ThrowIfNull(workqueue);
        _scopes = scopes;
        Workqueue = workqueue;
        Item = new DelayedWork<ScopedWork<TWork>>(this, static (self, token) => self.ExecuteAsync(token));
    }

    /// <summary>The queue that it runs on.</summary>
    public Workqueue Workqueue { get; }

    /// <summary>The item itself: to flush, cancel or disable it.</summary>
    public DelayedWork Item { get; }

    string INamedWork.WorkName => typeof(TWork).Name;

    /// <summary>Queues it; false when it is pending already.</summary>
    public bool Queue() => Workqueue.Queue(Item);

    /// <summary>Queues it after a delay; false when it is pending already.</summary>
    public bool Queue(TimeSpan delay) => Workqueue.Queue(Item, delay);

    /// <summary>Queues it after a delay, counted from now whatever was planned; true when it was pending.</summary>
    public bool Modify(TimeSpan delay) => Workqueue.Modify(Item, delay);

    private ValueTask ExecuteAsync(CancellationToken cancellationToken) => ScopedExecution.RunAsync<TWork>(_scopes, cancellationToken);
}
