using System.Collections.Concurrent;

namespace Kworker.Tests;

public sealed class AsyncWorkTests : IDisposable
{
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    [Fact]
    public void A_function_that_awaits_holds_no_worker()
    {
        const int Items = 1000;
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = 2 * Items }, _system);
        var gate = new Completion();
        var entered = new Completion();
        var threads = new ConcurrentDictionary<int, bool>();
        int ended = 0;
        for (int i = 0; i < Items; i++)
        {
            queue.Queue(new Work<Completion>(gate, async (gate, _) =>
            {
                threads.TryAdd(Environment.CurrentManagedThreadId, true);
                entered.Complete();
                await gate.WaitAsync();
                Interlocked.Increment(ref ended);
            }));
        }

        // All have begun and none has ended, on far fewer threads than there are items.
        for (int i = 0; i < Items; i++)
            entered.Wait();
        Assert.Equal(0, Volatile.Read(ref ended));
        Assert.InRange(threads.Count, 1, Items / 10);
        gate.CompleteAll();
        queue.Flush();
        Assert.Equal(Items, ended);
    }

    [Fact]
    public void It_counts_against_max_active_and_is_busy_until_its_task_ends()
    {
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = 1 }, _system);
        var entered = new Completion();
        var gate = new Completion();
        var first = new Work<object?>(null, async (_, _) =>
        {
            entered.Complete();
            await gate.WaitAsync();
        });
        bool secondRan = false;
        var second = new Work<object?>(null, _ => secondRan = true);
        queue.Queue(first);
        queue.Queue(second);
        entered.Wait();
        new Work<object?>(null, static _ => { }).Flush();
        Assert.Equal(WorkBusy.Running, first.Busy);
        Assert.Equal(WorkBusy.Pending, second.Busy);
        Assert.False(secondRan);
        gate.Complete();
        queue.Flush();
        Assert.True(secondRan);
        Assert.Equal(WorkBusy.None, first.Busy);
    }

    [Fact]
    public async Task Cancel_sync_signals_the_token_and_waits_for_the_end()
    {
        using var queue = new Workqueue("test", null, _system);
        var entered = new Completion();
        bool sawToken = false;
        Work<object?>? work = null;
        work = new Work<object?>(null, async (_, token) =>
        {
            entered.Complete();
            try
            {
                await new Completion().WaitAsync(token);
            }
            catch (OperationCanceledException)
            {
                sawToken = true;
                Assert.False(queue.Queue(work!)); // nobody may while it is being cancelled
            }
        });
        for (int i = 0; i < 100; i++)
        {
            sawToken = false;
            Assert.True(queue.Queue(work));
            await entered.WaitAsync();
            Assert.False(await work.CancelSyncAsync());
            Assert.True(sawToken);
            Assert.Equal(WorkBusy.None, work.Busy);
        }
    }

    [Fact]
    public async Task Ending_because_the_token_was_cancelled_is_no_failure()
    {
        using var queue = new Workqueue("test", null, _system);
        var failures = new List<Exception>();
        queue.UnhandledException += (_, e) => failures.Add(e.Exception);
        var entered = new Completion();
        var work = new Work<Completion>(entered, static async (entered, token) =>
        {
            entered.Complete();
            await new Completion().WaitAsync(token);
        });
        queue.Queue(work);
        await entered.WaitAsync();
        await work.CancelSyncAsync();
        Assert.Empty(failures);
        using var other = new CancellationTokenSource();
        await other.CancelAsync();
        queue.Queue(new Work<CancellationToken>(other.Token, static async (token, _) => await new Completion().WaitAsync(token)));
        await queue.FlushAsync();
        Assert.IsType<OperationCanceledException>(Assert.Single(failures), exactMatch: false);
    }

    [Fact]
    public void It_never_runs_concurrently_with_itself_across_awaits()
    {
        using var queue = new Workqueue("one", null, _system);
        using var other = new Workqueue("other", new WorkqueueOptions { Unbound = true }, _system);
        int inside = 0, most = 0, runs = 0;
        var turn = new Completion();
        var work = new Work<object?>(null, async (_, _) =>
        {
            for (int i = 0; i < 10; i++)
            {
                most = Math.Max(most, Interlocked.Increment(ref inside));
                Interlocked.Decrement(ref inside);
                turn.Complete();
                await turn.WaitAsync();
            }

            runs++;
        });
        int queued = 0;
        for (int i = 0; i < 2000; i++)
        {
            if ((i % 2 == 0 ? queue : other).Queue(work))
                queued++;
        }

        queue.Flush();
        other.Flush();
        work.Flush();
        Assert.Equal(1, most);
        Assert.Equal(queued, runs);
    }

    [Fact]
    public void Two_flows_of_one_function_take_turns()
    {
        using var queue = new Workqueue("test", null, _system);
        int inside = 0, most = 0;
        var work = new Work<object?>(null, async (_, _) =>
        {
            var step = new Completion();
            async Task Flow()
            {
                for (int i = 0; i < 200; i++)
                {
                    most = Math.Max(most, Interlocked.Increment(ref inside));
                    Thread.SpinWait(50);
                    Interlocked.Decrement(ref inside);
                    step.Complete();
                    await Task.Yield();
                    await step.WaitAsync();
                }
            }

            await Task.WhenAll(Flow(), Flow(), Flow());
        });
        queue.Queue(work);
        queue.Flush();
        Assert.Equal(1, most);
    }

    [Fact]
    public void What_it_throws_after_an_await_is_handed_to_the_queue()
    {
        using var queue = new Workqueue("test", null, _system);
        var caught = new List<string>();
        queue.UnhandledException += (_, e) => caught.Add(e.Exception.Message);
        queue.Queue(new Work<object?>(null, static (_, _) => throw new InvalidOperationException("before")));
        queue.Flush();
        queue.Queue(new Work<object?>(null, static async (_, _) =>
        {
            await Task.Yield();
            throw new InvalidOperationException("after");
        }));
        queue.Flush();
        Assert.Equal(["before", "after"], caught);
    }

    [Fact]
    public void Drain_lets_what_it_queues_after_an_await_in()
    {
        using var queue = new Workqueue("test", null, _system);
        var gate = new Completion();
        bool chained = false;
        queue.Queue(new Work<object?>(null, async (_, _) =>
        {
            await gate.WaitAsync();
            queue.Queue(new Work<object?>(null, _ => chained = true));
        }));
        var entered = new Completion();
        var drain = Kthread.Run(queue => { entered.Complete(); queue.Drain(); return 1; }, queue, "drain", _system);
        entered.Wait();
        gate.Complete();
        Assert.Equal(1, drain.Stop());
        queue.Drain();
        Assert.True(chained);
    }

    [Fact]
    public void Work_current_is_the_item_after_an_await_too()
    {
        using var queue = new Workqueue("test", null, _system);
        Work? before = null, after = null;
        var work = new Work<object?>(null, async (_, _) =>
        {
            before = Work.Current;
            await Task.Yield();
            after = Work.Current;
        });
        queue.Queue(work);
        queue.Flush();
        Assert.Same(work, before);
        Assert.Same(work, after);
        Assert.Null(Work.Current);
    }
}
