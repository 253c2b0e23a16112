using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting;

/// <summary>A work on a background queue.</summary>
internal abstract class BackgroundItem : INamedWork
{
    private readonly BackgroundQueue _queue;

    protected BackgroundItem(BackgroundQueue queue, string name)
    {
        _queue = queue;
        WorkName = name;
        Work = new Work<BackgroundItem>(this, static (self, token) => self.RunAsync(token));
    }

    public string WorkName { get; }

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

    protected abstract Task InvokeAsync(IServiceProvider services, CancellationToken cancellationToken);

    private async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        if (!_queue.TryBegin(this))
            return;
        try
        {
            await using AsyncServiceScope scope = _queue.Scopes.CreateAsyncScope();
            await InvokeAsync(scope.ServiceProvider, cancellationToken);
        }
        finally
        {
            _queue.Finish();
        }
    }
}

/// <summary>A work that takes a service.</summary>
internal sealed class BackgroundItem<TService>(BackgroundQueue queue, Func<TService, CancellationToken, Task> work, string? name)
    : BackgroundItem(queue, name ?? Work.NameOf(work))
    where TService : notnull
{
    private readonly Func<TService, CancellationToken, Task> _work = work;

    protected override Task InvokeAsync(IServiceProvider services, CancellationToken cancellationToken) =>
        _work(services.GetRequiredService<TService>(), cancellationToken);
}
