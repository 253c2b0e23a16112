namespace Kworker.Tests;

public sealed class CompletionTests
{
    [Fact]
    public async Task Threads_and_async_waiters_stand_in_one_line()
    {
        var completion = new Completion();
        for (int round = 0; round < 2000; round++)
        {
            ValueTask wait = completion.WaitAsync();
            Kthread other = Kthread.Run(static c => { c.Complete(); return 0; }, completion, "completer");
            await wait;
            Assert.Equal(0, await other.StopAsync());
        }
    }

    [Fact]
    public void Two_threads_hand_over_a_hundred_thousand_times()
    {
        var ping = new Completion();
        var pong = new Completion();
        var other = Kthread.Run(
            static pair =>
            {
                for (int i = 0; i < 100_000; i++)
                {
                    pair.ping.Wait();
                    pair.pong.Complete();
                }

                return 7;
            }, (ping, pong), "ponger");
        for (int i = 0; i < 100_000; i++)
        {
            ping.Complete();
            pong.Wait();
        }

        Assert.Equal(7, other.Stop());
    }

    [Fact]
    public async Task A_cancelled_token_ends_the_wait_and_takes_nothing()
    {
        var completion = new Completion();
        using var source = new CancellationTokenSource();
        ValueTask wait = completion.WaitAsync(source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await wait);
        completion.Complete();
        Assert.True(completion.TryWait());
    }

    [Fact]
    public void A_timeout_is_returned()
    {
        var completion = new Completion();
        Assert.True(completion.Wait(TimeSpan.FromMilliseconds(5)).IsTimedOut);
        completion.Complete();
        Assert.True(completion.Wait(TimeSpan.FromMilliseconds(5)));
    }

    [Fact]
    public async Task Who_awaits_from_outside_does_not_go_on_on_a_worker()
    {
        // A caller without any context, as Main has none, on a thread of its own.
        var system = new KworkerSystem();
        var queue = new Workqueue("test", null, system);
        var named = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var outsider = new Thread(() => _ = AwaitDispose()) { IsBackground = true };
        outsider.Start();

        async Task AwaitDispose()
        {
            var gate = new Completion();
            queue.Queue(new Work<Completion>(gate, static gate => gate.Wait()));
            ValueTask disposed = queue.DisposeAsync();
            gate.Complete();
            await disposed;
            named.SetResult(Thread.CurrentThread.Name);
        }

        Assert.DoesNotContain("kworker", await named.Task ?? "", StringComparison.Ordinal);
        await system.DisposeAsync();
    }
}
