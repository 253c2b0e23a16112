using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>What timers cost in memory, and that they let go of what is cancelled.</summary>
public sealed class TimerMemoryTests
{
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    [Fact]
    public void A_pending_delayed_item_takes_no_more_than_160_bytes()
    {
        const int Count = 10_000;
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        Action<object?> function = static _ => { };
        var works = new DelayedWork<object?>[Count];
        ArmOne(queue, s_day); // what is made once is there now
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Count; i++)
        {
            works[i] = new DelayedWork<object?>(null, function);
            queue.Queue(works[i], s_day);
        }

        long each = (GC.GetAllocatedBytesForCurrentThread() - before) / Count;
        Assert.InRange(each, 1, 160);
        Array.ForEach(works, static work => work.Cancel());
    }

    [Theory, InlineData(10), InlineData(300_000)]
    public void To_arm_modify_and_cancel_allocates_nothing(int milliseconds)
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        DelayedWork<object?>[] works = [.. Enumerable.Range(0, 200).Select(static _ => new DelayedWork<object?>(null, static _ => { }))];
        long before = 0;
        for (int i = 0; i < 100_000; i++)
        {
            if (i == 50_000)
                before = GC.GetAllocatedBytesForCurrentThread();
            DelayedWork<object?> work = works[i % works.Length];
            queue.Queue(work, TimeSpan.FromMilliseconds(milliseconds + (i % 100)));
            queue.Modify(work, TimeSpan.FromMilliseconds(milliseconds));
            work.Cancel();
        }

        // Slots of the wheel are made when they are first used: a few in all, not some for each.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void On_fake_time_a_cancelled_item_is_let_go_of_at_once()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = new FakeTimeProvider() });
        using var queue = new Workqueue("queue", null, system);
        WeakReference item = ArmOne(queue, s_day);
        Assert.True(IsAlive(item));
        Cancel(item);
        Assert.False(IsAlive(item));
    }

    [Fact]
    public void A_cancelled_item_is_let_go_of_when_the_wheel_wakes_up_next()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        WeakReference settled = ArmOne(queue, s_day);
        WakeWheel(queue);
        Assert.True(IsAlive(settled));
        WeakReference fresh = ArmOne(queue, s_day);
        Cancel(settled);
        Cancel(fresh);
        WakeWheel(queue);
        Assert.False(IsAlive(settled));
        Assert.False(IsAlive(fresh));
    }

    [Fact]
    public void A_cancelled_item_is_let_go_of_though_nothing_else_happens()
    {
        using var timers = new TimerBase(TimeProvider.System, ownThread: true, new TimerLimits { SettleAfter = 50 * TimerTicks.PerSecond / 1000 });
        WeakReference item = ArmNode(timers);
        while (item.IsAlive)
        {
            Thread.Yield();
            GC.Collect();
        }
    }

    [Fact]
    public void Who_arms_and_cancels_many_keeps_few()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        WeakReference[] items = [.. Enumerable.Range(0, 1000).Select(_ => ArmOne(queue, s_day))];
        Array.ForEach(items, Cancel);
        // By now all but those that the last inbox of this thread holds.
        IsAlive(items[0]);
        Assert.InRange(items.Count(static item => item.IsAlive), 0, 64);
    }

    [Fact]
    public void The_timers_of_a_thread_that_has_ended_fire_and_are_let_go_of()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        var ran = new Completion();
        WeakReference cancelled = null!;
        var thread = new Thread(() =>
        {
            queue.Queue(new DelayedWork<Completion>(ran, static ran => ran.Complete()), TimeSpan.FromMilliseconds(30));
            cancelled = ArmOne(queue, s_day);
            Cancel(cancelled);
        });
        thread.Start();
        thread.Join();
        ran.Wait();
        WakeWheel(queue);
        Assert.False(IsAlive(cancelled));
    }

    /// <summary>A timer fires: what is in the inboxes is settled first.</summary>
    private static void WakeWheel(Workqueue queue)
    {
        var ran = new Completion();
        queue.Queue(new DelayedWork<Completion>(ran, static ran => ran.Complete()), TimeSpan.FromMilliseconds(5));
        ran.Wait();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ArmOne(Workqueue queue, TimeSpan delay)
    {
        var work = new DelayedWork<object?>(null, static _ => { });
        queue.Queue(work, delay);
        return new WeakReference(work);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference ArmNode(TimerBase timers)
    {
        var node = new Node();
        timers.Arm(node, s_day);
        timers.Cancel(node);
        return new WeakReference(node);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Cancel(WeakReference item) => Assert.True(((DelayedWork<object?>)item.Target!).Cancel());

    private static bool IsAlive(WeakReference item)
    {
        GC.Collect();
        return item.IsAlive;
    }

    private sealed class Node : TimedItem
    {
        internal override void Expire() => throw new InvalidOperationException("It was cancelled.");
    }
}
