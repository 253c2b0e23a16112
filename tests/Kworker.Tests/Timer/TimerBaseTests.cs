using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

public sealed class TimerBaseTests
{
    private sealed class Node(Action expired) : TimedItem
    {
        internal override void Expire() => expired();
    }

    [Fact]
    public void Timers_fire_at_their_time_whatever_it_is()
    {
        Gen.Int[0, 400_000_000].Array[1, 40].Sample(delays =>
        {
            var time = new FakeTimeProvider();
            using var timers = new TimerBase(time, ownThread: false);
            var start = time.GetUtcNow();
            var fired = new List<(int Delay, double At)>();
            foreach (int delay in delays)
                timers.Arm(new Node(() => fired.Add((delay, (time.GetUtcNow() - start).TotalMilliseconds))), TimeSpan.FromMilliseconds(delay));
            foreach (int step in delays.Order())
            {
                TimeSpan due = start.AddMilliseconds(step) - time.GetUtcNow();
                if (due > TimeSpan.Zero)
                    time.Advance(due);
            }

            timers.Process();
            Assert.Equal(delays.Length, fired.Count);
            Assert.All(fired, f => Assert.Equal(f.Delay, f.At));
        }, iter: 300);
    }

    /// <summary>The system's clock: by several threads, so many that the base begins to beat and inboxes are full.</summary>
    [Fact]
    public void Timers_of_several_threads_fire_once_each_and_never_early()
    {
        const int Count = 2000;
        using var timers = new TimerBase(TimeProvider.System, ownThread: true, new TimerLimits { Long = 100 * TimerTicks.PerSecond / 1000 });
        var late = new System.Collections.Concurrent.ConcurrentBag<double>();
        using var all = new CountdownEvent(3 * Count);
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(seed => new Thread(() =>
        {
            var random = new Random(seed);
            for (int i = 0; i < Count; i++)
            {
                var delay = TimeSpan.FromMicroseconds(random.Next(1, 400_000));
                long start = TimeProvider.System.GetTimestamp();
                var node = new Node(() =>
                {
                    late.Add((TimeProvider.System.GetElapsedTime(start) - delay).TotalMicroseconds);
                    all.Signal();
                });
                timers.Arm(node, TimeSpan.FromDays(1));
                if (timers.Cancel(node))
                    timers.Arm(node, delay);
            }
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        all.Wait();
        Assert.True(late.Min() >= 0, $"{late.Min()} us");
        Assert.Equal(3 * Count, late.Count);
    }

    /// <summary>More than are moved from a slot above under one hold of the lock.</summary>
    [Fact]
    public void Many_timers_of_one_tick_fire_in_the_order_of_arming()
    {
        var time = new FakeTimeProvider();
        using var timers = new TimerBase(time, ownThread: false);
        var fired = new List<int>();
        for (int i = 0; i < 2000; i++)
        {
            int number = i;
            timers.Arm(new Node(() => fired.Add(number)), TimeSpan.FromMilliseconds(i % 2 == 0 ? 65_536 : 70_000));
        }

        time.Advance(TimeSpan.FromMilliseconds(65_536));
        Assert.Equal(Enumerable.Range(0, 1000).Select(static i => 2 * i), fired);
        time.Advance(TimeSpan.FromMilliseconds(4464));
        Assert.Equal(Enumerable.Range(0, 1000).Select(static i => (2 * i) + 1), fired.Skip(1000));
    }

    [Fact]
    public void Two_systems_share_a_thread()
    {
        using var one = new TimerBase(TimeProvider.System, ownThread: true);
        using var two = new TimerBase(TimeProvider.System, ownThread: true);
        using var all = new CountdownEvent(200);
        for (int i = 0; i < 100; i++)
        {
            one.Arm(new Node(() => all.Signal()), TimeSpan.FromMilliseconds(i % 7));
            two.Arm(new Node(() => all.Signal()), TimeSpan.FromMilliseconds(i % 5));
        }

        all.Wait();
    }

    [Fact]
    public void The_longest_delays_are_kept_and_never_come()
    {
        var time = new FakeTimeProvider();
        using var timers = new TimerBase(time, ownThread: false);
        int fired = 0;
        foreach (TimeSpan delay in (TimeSpan[])[TimeSpan.MaxValue, TimeSpan.FromDays(365 * 300), TimeSpan.FromDays(5000)])
            timers.Arm(new Node(() => fired++), delay);
        time.Advance(TimeSpan.FromDays(4999));
        Assert.Equal(0, fired);
        time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(1, fired);
    }
}
