using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting;

/// <summary>A work on a background queue.</summary>
internal abstract class BackgroundItem : INamedWork
{
    private readonly BackgroundQueue _queue;

    protected BackgroundItem(BackgroundQueue queue)
    {
        _queue = queue;
        Work = new Work<BackgroundItem>(this, static (self, token) => self.RunAsync(token));
    }

    /// <summary>Made when somebody asks: most are never asked.</summary>
    public abstract string WorkName { get; }

    internal Work Work { get; }

    /// <summary>The line that it stands in, and its neighbours there. Lock: the queue's.</summary>
    internal BackgroundLine? Line { get; set; }

    /// <inheritdoc cref="Line"/>
    internal BackgroundItem? Previous { get; set; }

    /// <inheritdoc cref="Line"/>
    internal BackgroundItem? Next { get; set; }

    /// <summary>It gave its place to another: it is not to run. Lock: the queue's.</summary>
    internal bool IsDropped { get; set; }

    /// <summary>Of one that waits for room: completed once by who takes it out of that line. Written before it enters the line.</summary>
    internal TaskCompletionSource? Admission { get; set; }

    /// <summary>What was going on where it was queued, for one that another thread puts in line. Written as <see cref="Admission"/>.</summary>
    internal Activity? Origin { get; set; }

    protected abstract ValueTask InvokeAsync(IServiceScopeFactory scopes, CancellationToken cancellationToken);

    private async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (!_queue.TryBegin(this))
            return;
        try
        {
            await InvokeAsync(_queue.Scopes, cancellationToken);
        }
        finally
        {
            _queue.Finish();
        }
    }
}

/// <summary>A work that takes a service.</summary>
internal sealed class ServiceItem<TService>(BackgroundQueue queue, Func<TService, CancellationToken, Task> work, string? name) : BackgroundItem(queue)
    where TService : notnull
{
    public override string WorkName => name ?? Kworker.Work.NameOf(work);

    protected override async ValueTask InvokeAsync(IServiceScopeFactory scopes, CancellationToken cancellationToken)
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        await work(scope.ServiceProvider.GetRequiredService<TService>(), cancellationToken);
    }
}

/// <summary>A work that takes none.</summary>
internal sealed class PlainItem(BackgroundQueue queue, Func<CancellationToken, Task> work, string? name) : BackgroundItem(queue)
{
    public override string WorkName => name ?? Kworker.Work.NameOf(work);

    protected override ValueTask InvokeAsync(IServiceScopeFactory scopes, CancellationToken cancellationToken) => new(work(cancellationToken));
}
