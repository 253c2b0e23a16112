using CsCheck;
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
            var model = new List<(long Due, int Order, int Item)>();
            long now = 0;
            int order = 0;
            foreach ((Step step, int item, int amount) in steps)
            {
                bool isArmed = model.Exists(each => each.Item == item);
                switch (step)
                {
                    case Step.Advance:
                        now += amount;
                        int[] expected = [.. model.Where(each => each.Due <= now).Order().Select(static each => each.Item)];
                        model.RemoveAll(each => each.Due <= now);
                        fired.Clear();
                        time.Advance(TimeSpan.FromMilliseconds(amount));
                        Assert.Equal(expected, fired);
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
                        model.Add((now + amount, order++, item));
                        break;
                }
            }
        },
        iter: 2000);

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
            var model = new List<(long Due, int Order, int Item)>();
            long now = 0;
            int order = 0;
            foreach ((Step step, int item, int amount) in steps)
            {
                bool isArmed = model.Exists(each => each.Item == item);
                var delay = TimeSpan.FromMilliseconds(amount);
                switch (step)
                {
                    case Step.Advance:
                        now += amount;
                        int[] expected = [.. model.Where(each => each.Due <= now).Order().Select(static each => each.Item)];
                        model.RemoveAll(each => each.Due <= now);
                        ran.Clear();
                        time.Advance(delay);
                        queue.Flush();
                        Assert.Equal(expected, ran);
                        break;
                    case Step.Cancel or Step.CancelSync:
                        Assert.Equal(isArmed, step == Step.Cancel ? works[item].Cancel() : works[item].CancelSync());
                        model.RemoveAll(each => each.Item == item);
                        break;
                    case Step.Arm:
                        Assert.Equal(!isArmed, queue.Queue(works[item], delay));
                        if (!isArmed)
                            model.Add((now + amount, order++, item));
                        break;
                    default:
                        Assert.Equal(isArmed, queue.Modify(works[item], delay));
                        model.RemoveAll(each => each.Item == item);
                        model.Add((now + amount, order++, item));
                        break;
                }

                Assert.Equal(model.Exists(each => each.Item == item), works[item].IsPending);
            }

            Array.ForEach(works, static work => work.CancelSync());
        },
        iter: 300);

    private sealed class Node(Action expired) : TimedItem
    {
        internal override void Expire() => expired();
    }
}
