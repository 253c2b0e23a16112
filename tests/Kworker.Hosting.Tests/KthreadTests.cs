using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kworker.Hosting.Tests;

/// <summary>Kthreads that run while the host does.</summary>
public sealed class KthreadTests
{
    [Fact]
    public async Task It_runs_from_the_start_to_the_end()
    {
        var loops = new Loops();
        await using TestHost host = await TestHost.StartAsync(kworker =>
        {
            kworker.Services.AddSingleton(loops);
            kworker.AddKthread<Loops>("plain-loop", static loops => loops.Run()).AddKthread<Loops>("async-loop", static loops => loops.RunAsync());
        });
        await loops.Begun.WaitAsync();
        await loops.Begun.WaitAsync();
        Assert.Equal(["async-loop", "plain-loop"], host.System.Snapshot().Kthreads.Select(static kthread => kthread.Name));
        await host.StopAsync();
        Assert.Equal(2, loops.Ended);
        Assert.Empty(host.Log.Texts);
    }

    [Fact]
    public async Task One_that_fails_ends_the_host()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker =>
            kworker.AddKthread<IServiceProvider>("broken", static _ => throw new IOException("no inbox")));
        var stopping = new Completion();
        await using (host.Lifetime.ApplicationStopping.Register(stopping.CompleteAll))
            await stopping.WaitAsync();
        Assert.Equal(["Kthread broken failed: no inbox"], host.Log.WithId(12));
        Assert.Single(host.Log.WithId(13));
    }

    [Fact]
    public async Task Or_not_if_the_host_ignores_failures()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker =>
        {
            kworker.Services.Configure<HostOptions>(static options => options.BackgroundServiceExceptionBehavior = BackgroundServiceExceptionBehavior.Ignore);
            kworker.AddKthread<IServiceProvider>("broken", static _ => throw new IOException("no inbox"));
        });
        await host.Log.WhenWrittenAsync(12);
        await host.StopAsync();
        Assert.Empty(host.Log.WithId(13));
    }

    [Fact]
    public async Task One_that_does_not_stop_is_named_when_the_hosts_time_is_over()
    {
        var end = new Completion();
        await using TestHost host = await TestHost.StartAsync(kworker => kworker.AddKthread<IServiceProvider>("deaf", _ =>
        {
            end.Wait();
            return 0;
        }));
        using var patience = new CancellationTokenSource();
        await patience.CancelAsync();
        await host.StopAsync(patience.Token);
        Assert.Contains("kthread deaf", Assert.Single(host.Log.WithId(14)), StringComparison.Ordinal);
        end.CompleteAll();
    }

    private sealed class Loops
    {
        private readonly WaitQueue _never = new();
        private int _ended;

        public Completion Begun { get; } = new();

        public int Ended => Volatile.Read(ref _ended);

        public int Run()
        {
            Begun.Complete();
            _never.WaitEvent(static () => Kthread.ShouldStop);
            Interlocked.Increment(ref _ended);
            return 0;
        }

        public async ValueTask<int> RunAsync()
        {
            Begun.Complete();
            await _never.WaitEventAsync(static () => Kthread.ShouldStop);
            Interlocked.Increment(ref _ended);
            return 0;
        }
    }
}
