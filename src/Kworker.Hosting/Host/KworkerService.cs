using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>
/// Ends the system with the host, in two steps. When its turn comes to stop it waits until all is done, and still takes works: services that were added before it still run,
/// which works may need, and which may yet queue some. When all services have stopped it ends the system for good.
/// </summary>
internal sealed class KworkerService : IHostedLifecycleService, IDisposable
{
    private readonly KworkerSystem _system;
    private readonly BackgroundQueues _backgroundQueues;
    private readonly ILogger<KworkerSystem> _logger;
    private readonly TimeSpan _grace; // from where the host begins to stop; negative: no end
    private readonly CancellationTokenRegistration _stopping;
    private long _stoppingSince; // written once, as the host begins to stop, before it stops its services

    public KworkerService(
        HostedSystem hosted,
        BackgroundQueues backgroundQueues,
        IHostApplicationLifetime lifetime,
        IOptions<KworkerHostOptions> options,
        IOptions<HostOptions> host,
        ILogger<KworkerSystem> logger)
    {
        _system = hosted.System;
        _backgroundQueues = backgroundQueues;
        _logger = logger;
        TimeSpan timeout = host.Value.ShutdownTimeout;
        _grace = options.Value.ShutdownGrace ?? (timeout < TimeSpan.Zero ? timeout : timeout * 4 / 5);
        _stoppingSince = _system.TimeProvider.GetTimestamp();
        _stopping = lifetime.ApplicationStopping.Register(() => _stoppingSince = _system.TimeProvider.GetTimestamp());
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var time = new CancellationTokenSource(GraceLeft, _system.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken);
        try
        {
            await _system.WhenIdleAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // The second step says what is left.
        }
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<UnfinishedWork> unfinished;
        // From where the time is over nobody gets the place of a work that is told to stop.
        using (var time = new CancellationTokenSource(GraceLeft, _system.TimeProvider))
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(time.Token, cancellationToken))
        using (limit.Token.UnsafeRegister(static queues => ((BackgroundQueues)queues!).Close(), _backgroundQueues))
            unfinished = await _system.ShutdownAsync(GraceLeft, cancellationToken);
        _backgroundQueues.Close();
        foreach (UnfinishedWork work in unfinished)
            Report(work);
        if (unfinished.Count > 0)
            KworkerLog.LeftUndone(_logger, unfinished.Count);
        DefaultSystem.Remove(_system);
    }

    /// <summary>A host that never stopped its services may be disposed of all the same.</summary>
    public void Dispose()
    {
        _stopping.Dispose();
        DefaultSystem.Remove(_system);
    }

    private TimeSpan GraceLeft
    {
        get
        {
            if (_grace < TimeSpan.Zero)
                return Timeout.InfiniteTimeSpan;
            TimeSpan left = _grace - _system.TimeProvider.GetElapsedTime(_stoppingSince);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private void Report(UnfinishedWork work)
    {
        switch (work.State)
        {
            case UnfinishedState.Waiting:
                KworkerLog.LeftWaiting(_logger, work.Name, work.Queue);
                break;
            case UnfinishedState.Delayed:
                KworkerLog.LeftDelayed(_logger, work.Name, work.Queue, work.DueIn.GetValueOrDefault().TotalSeconds);
                break;
            case UnfinishedState.Interrupted:
                KworkerLog.Interrupted(_logger, work.Name, work.Queue);
                break;
            default:
                KworkerLog.LeftRunning(_logger, work.Name, work.Queue);
                break;
        }
    }
}
