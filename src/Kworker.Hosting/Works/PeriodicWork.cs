using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kworker.Hosting;

/// <summary>Runs a work again and again while the host runs: each run plans the next one when it is done.</summary>
internal sealed class PeriodicWork<TWork> : IHostedService, INamedWork
    where TWork : class, IScopedWork
{
    private readonly IServiceScopeFactory _scopes;
    private readonly Workqueue _workqueue;
    private readonly PeriodicWorkOptions _options;
    private readonly DelayedWork _item;

    /// <summary>
    /// false → true once. Who stops sets it and then takes back what is planned; a run plans the next one and then looks at it, and takes that back itself. So one of the
    /// two does, and nothing is planned any more.
    /// </summary>
    private bool _isStopping;

    internal PeriodicWork(IServiceScopeFactory scopes, Workqueue workqueue, PeriodicWorkOptions options)
    {
        _scopes = scopes;
        _workqueue = workqueue;
        _options = options;
        _item = new DelayedWork<PeriodicWork<TWork>>(this, static (self, token) => self.RunAsync(token));
    }

    public string WorkName => typeof(TWork).Name;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _workqueue.Queue(_item, _options.FirstDelay ?? _options.Interval);
        return Task.CompletedTask;
    }

    /// <summary>A run that has begun goes on, and is waited for as all that runs.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _isStopping, true);
        Interlocked.MemoryBarrier();
        _item.Cancel();
        return Task.CompletedTask;
    }

    private async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ScopedExecution.RunAsync<TWork>(_scopes, cancellationToken);
        }
        finally
        {
            if (!Volatile.Read(ref _isStopping))
            {
                _workqueue.Queue(_item, _options.Interval);
                Interlocked.MemoryBarrier();
                if (Volatile.Read(ref _isStopping))
                    _item.Cancel();
            }
        }
    }
}
