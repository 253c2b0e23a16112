namespace Kworker.Tests;

/// <summary>A queue of high priority has workers of its own: what it is to do waits for no item of the others.</summary>
public sealed class HighPriorityTests
{
    [Fact]
    public void An_item_starts_while_the_only_place_of_the_normal_pool_is_taken()
    {
        // Without a monitor: nobody makes room in the normal pool.
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 1, Monitor = false });
        using var normal = new Workqueue("normal", null, system);
        using var high = new Workqueue("high", new WorkqueueOptions { HighPriority = true }, system);
        bool isOver = false, ranBehind = false, ranBehindBefore = true;
        string? name = null;
        using var entered = new ManualResetEventSlim();
        using var ran = new ManualResetEventSlim();
        normal.Queue(new Work<object?>(null, _ =>
        {
            entered.Set();
            while (!Volatile.Read(ref isOver))
                Thread.Yield();
        }));
        entered.Wait();
        normal.Queue(new Work<object?>(null, _ => Volatile.Write(ref ranBehind, true)));
        high.Queue(new Work<object?>(null, _ =>
        {
            name = Thread.CurrentThread.Name;
            ranBehindBefore = Volatile.Read(ref ranBehind);
            ran.Set();
        }));
        bool started = ran.Wait(TimeSpan.FromSeconds(90));
        Volatile.Write(ref isOver, true);
        Assert.True(started);
        Assert.StartsWith("kworker/h:", name, StringComparison.Ordinal);
        Assert.False(ranBehindBefore);
        normal.Flush();
        Assert.True(ranBehind);
    }

    [Fact]
    public void Its_pool_hands_places_on_as_the_normal_one_does()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 1, Monitor = false });
        using var high = new Workqueue("high", new WorkqueueOptions { HighPriority = true }, system);
        var gate = new Completion();
        for (int i = 0; i < 5; i++)
            high.Queue(new Work<Completion>(gate, static gate => gate.Wait()));
        high.Queue(new Work<Completion>(gate, static gate => gate.CompleteAll()));
        high.Flush();
    }
}
