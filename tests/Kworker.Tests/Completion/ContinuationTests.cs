using System.Collections.Concurrent;

namespace Kworker.Tests;

/// <summary>Where async methods go on that one call woke, and what becomes of those behind one that is held up.</summary>
public sealed class ContinuationTests
{
    private const int Many = 1000;

    [Fact]
    public async Task All_that_one_call_wakes_go_on()
    {
        var completion = new Completion();
        int gone = 0;
        Task[] waits = [.. Enumerable.Range(0, Many).Select(_ => WaitAsync())];
        completion.CompleteAll();
        await Task.WhenAll(waits);
        Assert.Equal(Many, gone);

        async Task WaitAsync()
        {
            await completion.WaitAsync();
            Interlocked.Increment(ref gone);
        }
    }

    [Fact]
    public async Task One_that_blocks_until_the_last_has_gone_on_holds_up_nobody()
    {
        // Were they run one after another on one thread, the first would wait for ever for the last.
        var completion = new Completion();
        using var last = new ManualResetEventSlim();
        Task[] waits = [.. Enumerable.Range(0, Many).Select(WaitAsync)];
        completion.CompleteAll();
        await Task.WhenAll(waits);

        async Task WaitAsync(int number)
        {
            await completion.WaitAsync().ConfigureAwait(false);
            if (number == Many - 1)
                last.Set();
            else if (number is 0 or 1 or 500)
                last.Wait(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task What_one_leaves_on_the_thread_is_not_the_next_ones()
    {
        var completion = new Completion();
        var local = new AsyncLocal<int>();
        var seen = new ConcurrentBag<(SynchronizationContext?, int)>();
        var ended = new Countdown(Many);
        for (int i = 0; i < Many; i++)
        {
            // Without a flow of its own, as a hand-written awaiter has it, a continuation meets what is there on the thread.
            using (ExecutionContext.SuppressFlow())
            {
#pragma warning disable CA2012 // awaited by hand, once
                System.Runtime.CompilerServices.ValueTaskAwaiter awaiter = completion.WaitAsync().GetAwaiter();
#pragma warning restore CA2012
                awaiter.UnsafeOnCompleted(() =>
                {
                    awaiter.GetResult();
                    seen.Add((SynchronizationContext.Current, local.Value));
                    local.Value = 1;
                    SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
                    ended.Signal();
                });
            }
        }

        completion.CompleteAll();
        await ended.Task;
        Assert.All(seen, static each => Assert.Equal((null, 0), each));
    }

    [Fact]
    public async Task A_context_whose_post_throws_harms_nobody_who_completes()
    {
        var logged = new ConcurrentQueue<string>();
        await using var system = new KworkerSystem(new KworkerSystemOptions { Log = logged.Enqueue });
        var completion = new Completion();
        var context = new BrokenContext();
        var wentOn = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        Kthread starter = Kthread.Run(
            start =>
            {
                SynchronizationContext.SetSynchronizationContext(context);
                _ = start();
                SynchronizationContext.SetSynchronizationContext(null);
                return 0;
            }, (Func<Task>)WaitAsync, "starter", system);
        await context.Started;
        Assert.Equal(0, await starter.StopAsync());
        completion.Complete();
        Assert.True(await wentOn.Task);
        Assert.Contains(nameof(BrokenContext), Assert.Single(logged), StringComparison.Ordinal);

        async Task WaitAsync()
        {
            ValueTask wait = completion.WaitAsync();
            context.Enter();
            await wait;
            wentOn.SetResult(Thread.CurrentThread.IsThreadPoolThread);
        }
    }

    private sealed class BrokenContext : SynchronizationContext
    {
        private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Task Started => _started.Task;

        internal void Enter() => _started.SetResult();

        public override void Post(SendOrPostCallback d, object? state) => throw new ObjectDisposedException(nameof(BrokenContext));
    }

    private sealed class Countdown(int count)
    {
        private readonly TaskCompletionSource _zero = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = count;

        internal Task Task => _zero.Task;

        internal void Signal()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                _zero.SetResult();
        }
    }
}
