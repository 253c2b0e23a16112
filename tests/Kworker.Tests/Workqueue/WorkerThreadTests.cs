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
    public void Waiting_for_any_object_ends_when_it_is_said_to_have_changed()
    {
        var variable = new object();
        bool changed = false;
        var waiter = Kthread.Run(
            variable =>
            {
                WaitVariable.WaitEvent(variable, () => Volatile.Read(ref changed));
                return 1;
            }, variable, "waiter");
        Volatile.Write(ref changed, true);
        WaitVariable.WakeUp(variable);
        Assert.Equal(1, waiter.Stop());
    }
}
