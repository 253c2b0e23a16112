using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Kworker.Hosting.Tests;

/// <summary>What becomes of works when the host ends.</summary>
public sealed class ShutdownTests
{
    private readonly Completion _begun = new();
    private readonly Completion _go = new();
    private int _done;

    private Func<CancellationToken, Task> WhenLetGo() => async _ =>
    {
        _begun.Complete();
        await _go.WaitAsync();
        Interlocked.Increment(ref _done);
    };

    private Func<CancellationToken, Task> UntilTold() => async token =>
    {
        _begun.Complete();
        await new Completion().WaitAsync(token);
    };

    [Fact]
    public async Task What_runs_finishes_and_what_waits_runs()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue(static options => options.MaxActive = 1));
        for (int i = 0; i < 20; i++)
            await host.Background.QueueAsync(WhenLetGo());
        await _begun.WaitAsync();
        Task stopping = host.StopAsync();
        await StoppingAsync(host);
        Assert.False(stopping.IsCompleted);
        _go.CompleteAll();
        await stopping;
        Assert.Equal(20, _done);
        Assert.Empty(host.Log.Texts);
        Assert.ThrowsAny<InvalidOperationException>(() => host.Background.TryQueue(WhenLetGo()));
    }

    [Fact]
    public async Task Who_waits_for_room_gets_in_yet()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue(static options => (options.MaxActive, options.Capacity) = (1, 0)));
        await host.Background.QueueAsync(WhenLetGo());
        await _begun.WaitAsync();
        Task[] waiting = [.. Enumerable.Range(0, 5).Select(_ => host.Background.QueueAsync(WhenLetGo()).AsTask())];
        Task stopping = host.StopAsync();
        await StoppingAsync(host);
        _go.CompleteAll();
        await stopping;
        await Task.WhenAll(waiting);
        Assert.Equal(6, _done);
    }

    [Fact]
    public async Task When_the_grace_is_over_what_runs_is_told_and_what_waits_is_named()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue(static options => (options.MaxActive, options.Capacity) = (1, 1)));
        await host.Background.QueueAsync(UntilTold(), "first");
        await _begun.WaitAsync();
        await host.Background.QueueAsync(WhenLetGo(), "second");
        Task third = host.Background.QueueAsync(WhenLetGo(), "third").AsTask();
        await AdvanceUntilAsync(host, host.StopAsync());
        Assert.Equal(0, _done);
        Assert.Equal(["Shutdown: first (queue background) was told to stop, and has ended"], host.Log.WithId(9));
        Assert.Equal(["Shutdown: second (queue background) waited in line and was not run: there was no time left"], host.Log.WithId(7));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => third);
    }

    [Fact]
    public async Task Who_does_not_obey_is_named_when_the_hosts_time_is_over()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue(static options => (options.MaxActive, options.Capacity) = (1, 0)));
        await host.Background.QueueAsync(WhenLetGo(), "deaf");
        await _begun.WaitAsync();
        Task waiting = host.Background.QueueAsync(WhenLetGo(), "late").AsTask();
        using var patience = new CancellationTokenSource();
        Task stopping = host.StopAsync(patience.Token);
        await StoppingAsync(host);
        await patience.CancelAsync();
        await stopping;
        Assert.Equal(["Shutdown: deaf (queue background) still runs, and is not waited for any more"], host.Log.WithId(10));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting); // no place will come free for it
        _go.CompleteAll();
    }

    [Fact]
    public async Task Services_that_stop_later_may_queue_yet()
    {
        var late = new Late();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton<IHostedService>(late); // before Kworker: it stops after it
        builder.Services.AddKworker(static options => options.ReplaceDefault = false);
        using IHost host = builder.Build();
        late.Queue = host.Services.GetRequiredService<IBackgroundQueue>();
        await host.StartAsync();
        await host.StopAsync();
        Assert.True(late.HasRun);
    }

    [Fact]
    public async Task Delayed_works_run_or_are_named()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker
            .AddWorkqueue("kept", static options => options.RunDelayedAtShutdown = true)
            .AddWorkqueue("given-up"));
        host.Workqueue("kept").Queue(new DelayedWork<ShutdownTests>(this, static self => self._done++), TimeSpan.FromHours(1));
        host.Workqueue("given-up").Queue(new DelayedWork<ShutdownTests>(this, static self => self._done++), TimeSpan.FromHours(1));
        await host.StopAsync();
        Assert.Equal(1, _done);
        Assert.Contains("(queue given-up) waited for its time, 3600 s more", Assert.Single(host.Log.WithId(8)), StringComparison.Ordinal);
    }

    /// <summary>Until its services are being stopped.</summary>
    private static async Task StoppingAsync(TestHost host)
    {
        var stopping = new Completion();
        await using (host.Lifetime.ApplicationStopping.Register(stopping.CompleteAll))
            await stopping.WaitAsync();
    }

    /// <summary>The clock goes on, however slowly the rest does.</summary>
    private static async Task AdvanceUntilAsync(TestHost host, Task task)
    {
        while (!task.IsCompleted)
        {
            host.Time.Advance(TimeSpan.FromSeconds(30));
            await Task.Yield();
        }

        await task;
    }

    private sealed class Late : IHostedService
    {
        public IBackgroundQueue? Queue { get; set; }

        public bool HasRun { get; private set; }

        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public async Task StopAsync(CancellationToken cancellationToken) => await Queue!.QueueAsync(_ =>
        {
            HasRun = true;
            return Task.CompletedTask;
        });
    }
}
