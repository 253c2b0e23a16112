namespace Kworker.Systematic;

/// <summary>Async waiters come from a pool and go back to it: one serves wait after wait, on whatever thread.</summary>
public sealed class AsyncWaiterScenarios
{
    /// <summary>More than two chains: what a thread keeps for itself.</summary>
    private const int Many = 3 * 32;

    [Fact]
    public void Chains_of_waiters_go_from_thread_to_thread_and_none_is_given_to_two() => Explorer.Explore(scenario =>
    {
        var held = new HashSet<AsyncWaiter>();
        var given = new HashSet<AsyncWaiter>();
        void GiveMany()
        {
            for (int i = 0; i < Many; i++)
            {
                var waiter = new AsyncWaiter();
                given.Add(waiter);
                AsyncWaiterPool.Give(waiter);
            }
        }

        void TakeSome()
        {
            for (int i = 0; i < 40; i++)
            {
                if (AsyncWaiterPool.Take() is not { } waiter)
                    continue;
                Assert.True(held.Add(waiter), "it has been given to two");
                Assert.Null(waiter.Next);
            }
        }

        var one = scenario.Run("gives", GiveMany);
        var two = scenario.Run("gives and takes", () =>
        {
            GiveMany();
            TakeSome();
        });
        var three = scenario.Run("takes", TakeSome);
        one.Join();
        two.Join();
        three.Join();
        Assert.True(held.Count >= 40, "who gave many has them to take");
        Assert.True(held.IsSubsetOf(given));
    }, schedules: 15000);

    [Fact]
    public void Waiters_are_used_again_and_again() => Explorer.Explore(scenario =>
    {
        var completion = new Completion();
        var back = new Completion();
        var one = scenario.RunDetached("detached", async () =>
        {
            for (int i = 0; i < 3; i++)
            {
                await completion.WaitAsync();
                back.Complete();
            }
        });
        for (int i = 0; i < 3; i++)
        {
            completion.Complete();
            back.Wait(TimeSpan.FromMilliseconds(1));
        }

        one.Join();
        Assert.False(completion.IsDone);
    });

    [Fact]
    public void A_waiter_that_is_used_again_meets_no_end_of_its_last_wait() => Explorer.Explore(scenario =>
    {
        // One thread's waiter serves wait after wait, with times and tokens that may still be on their way when it is over.
        var completion = new Completion();
        using var source = new CancellationTokenSource();
        int got = 0;
        var one = scenario.RunAsync("async", async () =>
        {
            for (int i = 0; i < 2; i++)
            {
                try
                {
                    WaitResult result = await completion.WaitAsync(TimeSpan.FromMilliseconds(1 + i), default, i == 0 ? source.Token : default);
                    Assert.True(result.IsDone || result.IsTimedOut);
                    if (result)
                        got++;
                }
                catch (OperationCanceledException)
                {
                    Assert.Equal(0, i);
                }
            }
        });
        var two = scenario.Run("canceller", source.Cancel);
        completion.Complete();
        one.Join();
        two.Join();
        Assert.Equal(1u, (uint)got + completion.Done);
    }, schedules: 2000);
}
