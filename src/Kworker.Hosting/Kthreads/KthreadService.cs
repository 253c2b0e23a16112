using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>A kthread that runs while the host does.</summary>
internal sealed class KthreadService(
    string name,
    Func<ValueTask<int>> function,
    KworkerSystem system,
    IHostApplicationLifetime lifetime,
    IOptions<HostOptions> host,
    ILogger<KworkerSystem> logger) : IHostedService
{
    /// <summary>Written as the host starts, before it can stop.</summary>
    private Kthread? _kthread;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _kthread = Kthread.Run(static self => self.RunAsync(), this, name, system);
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (_kthread is not { } kthread)
            return;
        try
        {
            await kthread.StopAsync().AsTask().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            KworkerLog.KthreadLeftRunning(logger, name);
        }
    }

    /// <summary>No exception leaves it: it is logged here, once, and is not to be one of the host's stop, too.</summary>
    private async ValueTask<int> RunAsync()
    {
        try
        {
            return await function();
        }
        catch (Exception e)
        {
            KworkerLog.KthreadFailed(logger, e, name);
            if (!Kthread.ShouldStop && host.Value.BackgroundServiceExceptionBehavior == BackgroundServiceExceptionBehavior.StopHost)
            {
                KworkerLog.KthreadEndsHost(logger, name);
                lifetime.StopApplication();
            }

            return -1;
        }
    }
}
