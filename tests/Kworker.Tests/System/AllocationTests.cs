namespace Kworker.Tests;

/// <summary>
/// In the steady state nothing is allocated. Counted over all threads of the process, so the tests run alone; a few bytes of others (the runner, the runtime's own
/// upkeep) are let pass: one allocation an operation would be far more.
/// </summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
public sealed class AllocationTestsDefinition;

[Collection(nameof(AllocationTests))]
public sealed class AllocationTests : IDisposable
{
    private const int Operations = 20_000;
    private const long Tolerated = Operations; // less than one byte an operation
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    [Fact]
    public void To_queue_and_run_an_item()
    {
        using var queue = new Workqueue("test", null, _system);
        var ran = new Completion();
        var work = new Work<Completion>(ran, static ran => ran.Complete());
        AssertNothing(() =>
        {
            queue.Queue(work);
            ran.Wait();
        });
    }

    [Fact]
    public void To_queue_and_run_an_item_in_its_callers_context()
    {
        var local = new AsyncLocal<string> { Value = "the caller's" };
        using var queue = new Workqueue("test", new WorkqueueOptions { FlowExecutionContext = true }, _system);
        var ran = new Completion();
        var work = new Work<Completion>(ran, ran =>
        {
            if (local.Value is not null)
                ran.Complete();
        });
        AssertNothing(() =>
        {
            queue.Queue(work);
            ran.Wait();
        });
    }

    [Fact]
    public void To_queue_many_items_and_run_them()
    {
        using var queue = new Workqueue("test", null, _system);
        var ran = new Completion();
        Work<Completion>[] works = [.. Enumerable.Range(0, 100).Select(_ => new Work<Completion>(ran, static ran => ran.Complete()))];
        AssertNothing(() =>
        {
            foreach (Work<Completion> work in works)
                queue.Queue(work);
            foreach (Work<Completion> _ in works)
                ran.Wait();
        }, Operations / 100);
    }

    [Fact]
    public void To_arm_and_cancel_a_delayed_item()
    {
        using var queue = new Workqueue("test", null, _system);
        var work = new DelayedWork<object?>(null, static _ => { });
        int next = 0;
        AssertNothing(() =>
        {
            queue.Queue(work, TimeSpan.FromMilliseconds(100_000 + (next++ & 0xfff)));
            queue.Modify(work, TimeSpan.FromMilliseconds(200_000));
            work.Cancel();
        });
    }

    [Fact]
    public void To_arm_a_delayed_item_and_run_it()
    {
        using var queue = new Workqueue("test", null, _system);
        var ran = new Completion();
        var work = new DelayedWork<Completion>(ran, static ran => ran.Complete());
        AssertNothing(() =>
        {
            queue.Queue(work, TimeSpan.FromMilliseconds(0.1));
            ran.Wait();
        }, 500);
    }

    [Fact]
    public void To_complete_and_wait_by_a_thread()
    {
        var ping = new Completion();
        var pong = new Completion();
        bool isOver = false;
        Kthread other = Kthread.Run(_ =>
        {
            while (true)
            {
                ping.Wait();
                if (Volatile.Read(ref isOver))
                    return 0;
                pong.Complete();
            }
        }, 0, "test", _system);
        AssertNothing(() =>
        {
            ping.Complete();
            pong.Wait();
        });
        Volatile.Write(ref isOver, true);
        ping.Complete();
        other.Stop();
    }

    [Fact]
    public void To_wait_with_a_timeout_that_does_not_come()
    {
        var completion = new Completion();
        using var queue = new Workqueue("test", null, _system);
        var work = new Work<Completion>(completion, static completion => completion.Complete());
        AssertNothing(() =>
        {
            queue.Queue(work);
            completion.Wait(TimeSpan.FromSeconds(600));
        });
    }

    [Fact]
    public void To_wait_by_an_async_method()
    {
        var ping = new Completion();
        var pong = new Completion();
        bool isOver = false;
        using var queue = new Workqueue("test", null, _system);
        var work = new Work<object?>(null, async (_, _) =>
        {
            while (true)
            {
                await ping.WaitAsync();
                if (Volatile.Read(ref isOver))
                    return;
                pong.Complete();
            }
        });
        queue.Queue(work);
        AssertNothing(() =>
        {
            ping.Complete();
            pong.Wait();
        });
        Volatile.Write(ref isOver, true);
        ping.Complete();
        work.Flush();
    }

    [Fact]
    public void To_queue_and_run_a_kthread_workers_item()
    {
        using var worker = new KthreadWorker("test", _system);
        var ran = new Completion();
        var work = new KthreadWork<Completion>(ran, static ran => ran.Complete());
        AssertNothing(() =>
        {
            worker.Queue(work);
            ran.Wait();
        });
    }

    private static void AssertNothing(Action operation, int operations = Operations)
    {
        // The first times make what is kept from then on: threads, waiters, wheel slots, compiled code.
        for (int i = 0; i < operations / 2; i++)
            operation();
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 3 && least > Tolerated; attempt++)
        {
            long before = GC.GetTotalAllocatedBytes(precise: true);
            for (int i = 0; i < operations; i++)
                operation();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        Assert.True(least <= Tolerated, $"{(double)least / operations} bytes an operation");
    }
}
