using System.Runtime.CompilerServices;

namespace Kworker.Tests;

public sealed class LifetimeTests
{
    [Fact]
    public void Nothing_keeps_a_system_alive_that_was_disposed_of_after_async_work()
    {
        WeakReference system = Use();
        // Its threads end some time after it was disposed of.
        Assert.True(SpinWait.SpinUntil(() =>
        {
            GC.Collect();
            return !system.IsAlive;
        }, TimeSpan.FromSeconds(30)));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Use()
    {
        var system = new KworkerSystem();
        var queue = new Workqueue("test", null, system);
        var gate = new Completion();
        var work = new Work<Completion>(gate, static async (gate, _) => await gate.WaitAsync());
        queue.Queue(work);
        gate.Complete();
        work.Flush();
        for (int i = 0; i < 100; i++)
        {
            queue.Queue(work);
            Thread.Yield();
            gate.Complete();
            work.Flush();
        }

        system.Dispose();
        return new WeakReference(system);
    }
}
