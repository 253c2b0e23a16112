namespace Kworker.Tests;

public sealed class KthreadTests
{
    [Fact]
    public async Task An_async_body_runs_on_its_own_thread_throughout()
    {
        var step = new Completion();
        var entered = new Completion();
        var kthread = Kthread.Run(
            async step =>
            {
                entered.Complete();
                int thread = Environment.CurrentManagedThreadId;
                for (int i = 0; i < 100; i++)
                    await step.WaitAsync();
                return Environment.CurrentManagedThreadId == thread ? 1 : 0;
            }, step, "async body");
        for (int i = 0; i < 100; i++)
            step.Complete();
        entered.Wait();
        Assert.Equal(1, await kthread.StopAsync());
    }

    [Fact]
    public void Stop_wakes_a_wait_whose_condition_asks_for_it()
    {
        var queue = new WaitQueue();
        var entered = new Completion(); // a thread that is stopped before it enters its function returns -EINTR
        var kthread = Kthread.Run(
            static both =>
            {
                both.entered.Complete();
                both.queue.WaitEvent(() => Kthread.ShouldStop);
                return 3;
            }, (queue, entered), "stopper");
        entered.Wait();
        Assert.Equal(3, kthread.Stop());
    }

    [Fact]
    public void An_exception_is_thrown_by_stop()
    {
        var entered = new Completion();
        var kthread = Kthread.Run(
            static entered =>
            {
                entered.Complete();
                throw new InvalidDataException("on purpose");
            }, entered, "thrower");
        entered.Wait();
        Assert.Equal("on purpose", Assert.Throws<InvalidDataException>(() => kthread.Stop()).Message);
    }

    [Fact]
    public void A_worker_runs_items_in_order_and_flushes()
    {
        using var worker = new KthreadWorker("worker");
        var order = new List<int>();
        var works = Enumerable.Range(0, 100).Select(i => new KthreadWork<int>(i, order.Add)).ToArray();
        foreach (var work in works)
            Assert.True(worker.Queue(work));
        worker.Flush();
        Assert.Equal(Enumerable.Range(0, 100), order);
    }
}
