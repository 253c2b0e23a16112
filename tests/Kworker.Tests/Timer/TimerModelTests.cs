using CsCheck;
using Kworker.Tests.Models;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>Random armings, modifications and cancellations on fake time, against a sorted list.</summary>
public sealed class TimerModelTests
{
    private const int Items = 6;

    private enum Step
    {
        Arm,
        Modify,
        Cancel,
        CancelSync,
        Advance,
    }

    private static readonly Gen<int> s_delay = Gen.Frequency((4, Gen.Int[1, 20]), (3, Gen.Int[1, 600]), (2, Gen.Int[1, 70_000]), (1, Gen.Int[1, 400_000_000]));

    private static readonly Gen<(Step Step, int Item, int Time)[]> s_steps = Gen.Select(
        Gen.Frequency((4, Gen.Const(Step.Arm)), (3, Gen.Const(Step.Modify)), (2, Gen.Const(Step.Cancel)), (1, Gen.Const(Step.CancelSync)), (3, Gen.Const(Step.Advance))),
        Gen.Int[0, Items - 1],
        s_delay,
        static (step, item, time) => (step, item, time)).Array[1, 60];

    [Fact]
    public void The_wheel_fires_as_a_sorted_list_does() => s_steps.Sample(
        static steps =>
        {
            var time = new FakeTimeProvider();
            using var timers = new TimerBase(time, ownThread: false);
            var fired = new List<int>();
            Node[] nodes = [.. Enumerable.Range(0, Items).Select(number => new Node(() => fired.Add(number)))];
            var model = new List<(long Due, int Item)>();
            long now = 0;
            foreach ((Step step, int item, int amount) in steps)
            {
                bool isArmed = model.Exists(each => each.Item == item);
                switch (step)
                {
                    case Step.Advance:
                        now += amount;
                        List<(long Due, int Item)> expected = TakeDue(model, now);
                        fired.Clear();
                        time.Advance(TimeSpan.FromMilliseconds(amount));
                        AssertFired(expected, fired);
                        break;
                    case Step.Cancel or Step.CancelSync:
                        Assert.Equal(isArmed, step == Step.Cancel ? timers.Cancel(nodes[item]) : timers.CancelSync(nodes[item]));
                        model.RemoveAll(each => each.Item == item);
                        break;
                    case Step.Arm when isArmed:
                        break;
                    default:
                        Assert.Equal(isArmed, timers.Cancel(nodes[item]));
                        model.RemoveAll(each => each.Item == item);
                        timers.Arm(nodes[item], TimeSpan.FromMilliseconds(amount));
                        model.Add((now + amount, item));
                        break;
                }
            }
        },
        iter: ModelRun.Times(2000));

    /// <summary>As users do it: a delayed item is modified in one step while its time runs.</summary>
    [Fact]
    public void Delayed_items_come_due_as_a_sorted_list_says() => s_steps.Sample(
        static steps =>
        {
            var time = new FakeTimeProvider();
            using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
            using Workqueue queue = Workqueue.Ordered("queue", system);
            var ran = new List<int>();
            DelayedWork<int>[] works = [.. Enumerable.Range(0, Items).Select(number => new DelayedWork<int>(number, ran.Add))];
            var model = new List<(long Due, int Item)>();
            long now = 0;
            foreach ((Step step, int item, int amount) in steps)
            {
                bool isArmed = model.Exists(each => each.Item == item);
                var delay = TimeSpan.FromMilliseconds(amount);
                switch (step)
                {
                    case Step.Advance:
                        now += amount;
                        List<(long Due, int Item)> expected = TakeDue(model, now);
                        ran.Clear();
                        time.Advance(delay);
                        queue.Flush();
                        AssertFired(expected, ran);
                        break;
                    case Step.Cancel or Step.CancelSync:
                        Assert.Equal(isArmed, step == Step.Cancel ? works[item].Cancel() : works[item].CancelSync());
                        model.RemoveAll(each => each.Item == item);
                        break;
                    case Step.Arm:
                        Assert.Equal(!isArmed, queue.Queue(works[item], delay));
                        if (!isArmed)
                            model.Add((now + amount, item));
                        break;
                    default:
                        Assert.Equal(isArmed, queue.Modify(works[item], delay));
                        model.RemoveAll(each => each.Item == item);
                        model.Add((now + amount, item));
                        break;
                }

                Assert.Equal(model.Exists(each => each.Item == item), works[item].IsPending);
            }

            Array.ForEach(works, static work => work.CancelSync());
        },
        iter: ModelRun.Times(300));

    private static List<(long Due, int Item)> TakeDue(List<(long Due, int Item)> model, long now)
    {
        List<(long Due, int Item)> due = [.. model.Where(each => each.Due <= now).Order()];
        model.RemoveAll(each => each.Due <= now);
        return due;
    }

    /// <summary>In the order of their times; those of one tick in any: one that came down from a level above stands behind one armed later for the same tick.</summary>
    private static void AssertFired(List<(long Due, int Item)> expected, List<int> fired)
    {
        Assert.Equal(expected.Count, fired.Count);
        (long Due, int Item)[] actual = [.. fired.Select(item => expected.Single(each => each.Item == item))];
        Assert.Equal(expected.Select(static each => each.Due), actual.Select(static each => each.Due));
        Assert.Equal(expected, actual.Order());
    }

    private sealed class Node(Action expired) : TimedItem
    {
        internal override void Expire() => expired();
    }
}
