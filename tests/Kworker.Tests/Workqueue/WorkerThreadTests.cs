namespace Kworker.Tests;

public sealed class WorkerThreadTests
{
    [Fact]
    public void A_worker_is_a_thread_of_ours_that_the_system_lists_by_name()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("test", null, system);
        string? name = null, listed = null;
        bool pooled = true;
        queue.Queue(new Work<object?>(null, _ =>
        {
            name = Thread.CurrentThread.Name;
            pooled = Thread.CurrentThread.IsThreadPoolThread;
            if (OperatingSystem.IsLinux())
                listed = File.ReadAllText("/proc/thread-self/comm").Trim();
        }));
        queue.Flush();
        Assert.False(pooled);
        Assert.Equal("kworker/n:0", name);
        Assert.Equal(OperatingSystem.IsLinux() ? "kworker/n:0" : null, listed);
    }

    [Fact]
    public void What_a_function_leaves_on_its_thread_is_not_the_next_ones()
    {
        var local = new AsyncLocal<string>();
        using var system = new KworkerSystem();
        using var queue = new Workqueue("test", null, system);
        var seen = new List<(string? Local, SynchronizationContext? Context)>();
        for (int i = 0; i < 50; i++)
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                lock (seen)
                    seen.Add((local.Value, SynchronizationContext.Current));
                local.Value = "left behind";
                SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
            }));
            queue.Flush();
        }

        Assert.All(seen, s => Assert.Equal((null, null), s));
    }

    [Fact]
    public async Task Two_cancels_of_an_item_that_was_never_queued_both_return()
    {
        for (int i = 0; i < 200; i++)
        {
            var work = new Work<object?>(null, static _ => { });
            var other = Kthread.Run(static work => work.CancelSync() ? 1 : 0, work, "canceller");
            Assert.False(await work.CancelSyncAsync());
            Assert.True(await other.StopAsync() is 0 or -Errno.EINTR);
        }
    }

    [Fact]
    public void Waiting_for_any_object_ends_when_it_is_said_to_have_changed()
    {
        var variable = new object();
        bool changed = false;
        var entered = new Completion();
        var waiter = Kthread.Run(
            variable =>
            {
                entered.Complete();
                WaitVariable.WaitEvent(variable, () => Volatile.Read(ref changed));
                return 1;
            }, variable, "waiter");
        entered.Wait();
        Volatile.Write(ref changed, true);
        WaitVariable.WakeUp(variable);
        Assert.Equal(1, waiter.Stop());
    }
}
