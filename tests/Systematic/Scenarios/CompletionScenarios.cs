namespace Kworker.Systematic;

public sealed class CompletionScenarios
{
    private static readonly TimeSpan s_some = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void Each_complete_lets_one_wait_go() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        int gone = 0;
        var one = scenario.Run("thread", () =>
        {
            completion.Wait();
            gone++;
        });
        var two = scenario.RunAsync("async", async () =>
        {
            await completion.WaitAsync();
            gone++;
        });
        var three = scenario.RunDetached("detached", async () =>
        {
            await completion.WaitAsync();
            gone++;
        });
        for (int i = 0; i < 3; i++)
            completion.Complete();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(3, gone);
        Assert.False(completion.IsDone);
    });

    [Fact]
    public void Complete_all_lets_all_go_for_good() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        var one = scenario.Run("thread", () => completion.Wait());
        var two = scenario.RunAsync("async", async () => await completion.WaitAsync());
        var three = scenario.Run("thread with a limit", () => Assert.True(completion.Wait(TimeSpan.FromSeconds(100))));
        completion.CompleteAll();
        one.Join();
        two.Join();
        three.Join();
        Assert.True(completion.TryWait());
        Assert.True(completion.IsDone);
    });

    [Fact]
    public void Time_and_complete_race_and_nothing_is_lost() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        int got = 0;
        var one = scenario.Run("thread", () =>
        {
            if (completion.Wait(s_some))
                got++;
        });
        var two = scenario.RunAsync("async", async () =>
        {
            if (await completion.WaitAsync(s_some))
                got++;
        });
        completion.Complete();
        one.Join();
        two.Join();
        Assert.Equal(1u, (uint)got + completion.Done);
    });

    [Fact]
    public void A_wait_that_times_out_took_its_time() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        long begin = scenario.Schedule.Now;
        var one = scenario.Run("completer", completion.Complete);
        WaitResult result = completion.Wait(s_some);
        Assert.True(result ? result.Remaining <= s_some : scenario.Schedule.Now - begin >= 10);
        one.Join();
    }, schedules: 2000);

    [Fact]
    public void Token_time_and_complete_race_and_one_of_them_ends_the_wait() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        using var source = new CancellationTokenSource();
        int got = 0, cancelled = 0, timedOut = 0;
        async ValueTask Wait()
        {
            try
            {
                WaitResult result = await completion.WaitAsync(s_some, default, source.Token);
                if (result)
                    got++;
                if (result.IsTimedOut)
                    timedOut++;
            }
            catch (OperationCanceledException e)
            {
                Assert.Equal(source.Token, e.CancellationToken);
                cancelled++;
            }
        }

        var one = scenario.Run("thread", () =>
        {
            try
            {
                WaitResult result = completion.Wait(s_some, default, source.Token);
                if (result)
                    got++;
                if (result.IsTimedOut)
                    timedOut++;
            }
            catch (OperationCanceledException)
            {
                cancelled++;
            }
        });
        var two = scenario.RunDetached("detached", Wait);
        var three = scenario.Run("canceller", source.Cancel);
        completion.Complete();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(2, got + cancelled + timedOut);
        Assert.Equal(1u, (uint)got + completion.Done);
    });

    [Fact]
    public void A_signal_and_complete_race_and_nothing_is_lost() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        Kthread kthread = Kthread.Run(
            static c => c.Wait(WaitMode.Interruptible) ? 1 : 0, completion, "kthread", scenario.System);
        Kthread async = Kthread.Run(
            static async c => await c.WaitAsync(WaitMode.Killable) ? 1 : 0, completion, "async kthread", scenario.System);
        var other = scenario.Run("signaller", () =>
        {
            kthread.Signal();
            async.Kill();
        });
        completion.Complete();
        int got = Math.Max(0, kthread.Stop()) + Math.Max(0, async.Stop()); // -EINTR: it never came to wait
        other.Join();
        Assert.Equal(1u, (uint)got + completion.Done);
    });

    [Fact]
    public void Async_waits_go_in_the_order_in_which_they_came() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        var order = new List<int>();
        var waiter = scenario.RunAsync("async", async () =>
        {
            ValueTask<WaitResult> first = completion.WaitAsync(TimeSpan.FromSeconds(100));
            ValueTask<WaitResult> second = completion.WaitAsync(TimeSpan.FromSeconds(100));
            var other = scenario.Run("completer", completion.Complete);
            Assert.True(await first);
            completion.Complete();
            Assert.True(await second);
            other.Join();
        });
        waiter.Join();
        Assert.False(completion.IsDone);
    }, schedules: 300);

    [Fact]
    public void What_is_kept_goes_to_one_only() => Explorer.Explore(scenario =>
    {
        // Completes without a lock, takers without one, and one that waits: none gets another's, none is left behind.
        var completion = new Completion();
        int taken = 0;
        var one = scenario.Run("taker", () =>
        {
            if (completion.TryWait())
                Seam.Increment(ref taken);
        });
        var two = scenario.Run("waiter", () =>
        {
            completion.Wait();
            Seam.Increment(ref taken);
        });
        var three = scenario.Run("completer", completion.Complete);
        completion.Complete();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(2u, (uint)taken + completion.Done);
    }, schedules: 2000);

    [Fact]
    public void A_waiter_that_still_looks_about_is_not_forgotten() => Explorer.Explore(scenario =>
    {
        // One stands in line, another has not yet: both are served, whoever comes first.
        var completion = new Completion();
        var one = scenario.RunDetached("async", async () => await completion.WaitAsync());
        var two = scenario.Run("thread", () => completion.Wait());
        var three = scenario.Run("completer", completion.Complete);
        completion.Complete();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(0u, completion.Done);
    }, schedules: 2000);

    [Fact]
    public void Complete_all_and_complete_race_and_all_stays() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        var one = scenario.Run("waiter", () => completion.Wait());
        var two = scenario.Run("all", completion.CompleteAll);
        var three = scenario.Run("taker", () => completion.TryWait());
        completion.Complete();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(uint.MaxValue, completion.Done);
    });

    [Fact]
    public void A_counter_at_its_end_stays_there() => Explorer.Explore(scenario =>
    {
        var completion = new Completion { Done = uint.MaxValue - 1 };
        var one = scenario.Run("completer", completion.Complete);
        var two = scenario.Run("waiter", () => completion.Wait());
        completion.Complete();
        one.Join();
        two.Join();
        Assert.Equal(uint.MaxValue, completion.Done);
    }, schedules: 3000);

    [Fact]
    public void Of_many_woken_at_once_none_waits_for_another_to_come_back() => Explorer.Explore(scenario =>
    {
        // The first and the second, in whatever order they came, block what they run on until the last has gone on.
        var completion = new Completion();
        var last = new Completion();
        int gone = 0;
        async ValueTask Wait()
        {
            await completion.WaitAsync();
            if (Seam.Increment(ref gone) == 3)
                last.CompleteAll();
            last.Wait();
        }

        var one = scenario.RunDetached("one", Wait);
        var two = scenario.RunDetached("two", Wait);
        var three = scenario.RunDetached("three", Wait);
        var limit = scenario.RunDetached("with a limit", async () => Assert.True(await completion.WaitAsync(TimeSpan.FromSeconds(100))));
        completion.CompleteAll();
        one.Join();
        two.Join();
        three.Join();
        limit.Join();
    });

    [Fact]
    public void What_is_left_of_a_block_stays_for_others_to_take() => Explorer.Explore(scenario =>
    {
        // Two blocks of two, all in line before. All but the last to go on come back only after it has.
        var completion = new Completion();
        var last = new Completion();
        var end = new Completion();
        int gone = 0;
        async Task Wait()
        {
            await completion.WaitAsync();
            if (Seam.Increment(ref gone) == 4)
                last.CompleteAll();
            last.Wait();
            end.Complete();
        }

        for (int i = 0; i < 4; i++)
            _ = Wait();
        completion.CompleteAll();
        for (int i = 0; i < 4; i++)
            end.Wait();
        Assert.Equal(4, gone);
    });
}
