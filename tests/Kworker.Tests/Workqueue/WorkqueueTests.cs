using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

public sealed class WorkqueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;

    public WorkqueueTests() => _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });

    public void Dispose() => _system.Dispose();

    [Fact]
    public void I_can_queue_an_item_and_it_runs_once()
    {
        using var queue = new Workqueue("test", null, _system);
        var ran = new Completion();
        var work = new Work<Completion>(ran, static c => c.Complete());
        Assert.True(queue.Queue(work));
        ran.Wait();
        Assert.False(work.Flush() && work.IsPending);
        Assert.False(ran.TryWait());
    }

    [Fact]
    public void A_delayed_item_does_not_run_early()
    {
        using var queue = new Workqueue("test", null, _system);
        var ran = new Completion();
        var work = new DelayedWork<Completion>(ran, static c => c.Complete());
        Assert.True(queue.Queue(work, TimeSpan.FromMilliseconds(100)));
        _time.Advance(TimeSpan.FromMilliseconds(99));
        Assert.True(work.IsPending);
        queue.Flush();
        Assert.False(ran.IsDone);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        ran.Wait();
    }

    [Fact]
    public async Task Cancel_sync_ends_an_item_that_queues_itself()
    {
        using var queue = new Workqueue("test", null, _system);
        int runs = 0;
        Work<object?>? work = null;
        work = new Work<object?>(null, _ =>
        {
            Interlocked.Increment(ref runs);
            queue.Queue(work!);
        });
        queue.Queue(work);
        await work.CancelSyncAsync();
        int after = Volatile.Read(ref runs);
        Assert.Equal(WorkBusy.None, work.Busy);
        queue.Flush();
        Assert.Equal(after, Volatile.Read(ref runs));
    }

    [Fact]
    public void A_hundred_items_that_wait_for_one_behind_them_all_finish()
    {
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = 200 }, _system);
        var gate = new Completion();
        var done = new Completion();
        for (int i = 0; i < 100; i++)
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                gate.Wait();
                done.Complete();
            }));
        }

        queue.Queue(new Work<object?>(null, _ => gate.CompleteAll()));
        for (int i = 0; i < 100; i++)
            done.Wait();
    }

    [Fact]
    public void Many_threads_queue_and_every_item_runs()
    {
        using var queue = new Workqueue("test", null, _system);
        int runs = 0, queued = 0;
        var works = Enumerable.Range(0, 64).Select(_ => new Work<object?>(null, _ => Interlocked.Increment(ref runs))).ToArray();
        var entered = new Completion();
        Kthread[] producers = [.. Enumerable.Range(0, 4).Select(p => Kthread.Run(
            seed =>
            {
                entered.Complete();
                var random = new Random(seed);
                for (int i = 0; i < 50_000; i++)
                {
                    if (queue.Queue(works[random.Next(works.Length)]))
                        Interlocked.Increment(ref queued);
                }

                return 0;
            }, p, $"producer {p}", _system))];
        for (int i = 0; i < producers.Length; i++)
            entered.Wait(); // one that is stopped before it enters its function returns -EINTR

        foreach (Kthread producer in producers)
            Assert.Equal(0, producer.Stop());
        queue.Flush();
        Assert.Equal(queued, runs);
    }

    [Fact]
    public void An_exception_is_handed_to_the_queue_and_the_worker_goes_on()
    {
        using var queue = new Workqueue("test", null, _system);
        Exception? caught = null;
        queue.UnhandledException += (_, e) => caught = e.Exception;
        queue.Queue(new Work<object?>(null, _ => throw new InvalidOperationException("on purpose")));
        queue.Flush();
        Assert.Equal("on purpose", caught?.Message);
    }

    [Fact]
    public void A_draining_queue_takes_chained_items_only()
    {
        using var queue = new Workqueue("test", null, _system);
        var gate = new Completion();
        var chained = new Completion();
        queue.Queue(new Work<object?>(null, _ =>
        {
            gate.Wait();
            queue.Queue(new Work<object?>(null, _ => chained.Complete()));
        }));
        var draining = Kthread.Run(queue => { queue.Drain(); return 0; }, queue, "drain", _system);
        var outsider = new Work<object?>(null, _ => { });
        while (true)
        {
            try
            {
                queue.Queue(outsider);
                outsider.Flush();
            }
            catch (InvalidOperationException e)
            {
                Assert.Contains("being drained", e.Message, StringComparison.Ordinal);
                break;
            }
        }

        Assert.False(outsider.IsPending);
        gate.Complete();
        Assert.Equal(0, draining.Stop());
        Assert.True(chained.IsDone);
    }
}
