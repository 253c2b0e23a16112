using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests.Models;

/// <summary>Random delays on a clock moved by hand: each delayed item runs when its time has come, and not before, and as often as was queued.</summary>
public sealed class TimedModelTests
{
    public enum Call
    {
        Queue,
        Modify,
        Cancel,
        CancelSync,
        Flush,
        Advance,
    }

    private static readonly Gen<(Call, int, int)[]> s_steps = Gen.Select(Gen.Enum<Call>(), Gen.Int[0, 5], Gen.OneOf(Gen.Int[-1, 40], Gen.Int[0, 100_000])).Array[1, 40];

    [Fact]
    public void Of_a_workqueue() => s_steps.Sample(steps =>
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var queue = new Workqueue("test", null, system);
        Run(steps, time, item =>
        {
            var work = new DelayedWork<Item>(item, static item => item.Run());
            return (delay => queue.Queue(work, delay), delay => queue.Modify(work, delay), work.Cancel, work.CancelSync, work.Flush);
        });
    }, iter: ModelRun.Times(100), threads: 1);

    [Fact]
    public void Of_a_kthread_worker() => s_steps.Sample(steps =>
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var worker = new KthreadWorker("test", system);
        Run(steps, time, item =>
        {
            var work = new KthreadDelayedWork<Item>(item, static item => item.Run());
            return (delay => worker.Queue(work, delay), delay => worker.Modify(work, delay), work.CancelSync, work.CancelSync, () =>
            {
                work.Flush();
                return true;
            }
            );
        });
    }, iter: ModelRun.Times(100), threads: 1);

    private static void Run(
        (Call Call, int Item, int Milliseconds)[] steps,
        FakeTimeProvider time,
        Func<Item, (Func<TimeSpan, bool> Queue, Func<TimeSpan, bool> Modify, Func<bool> Cancel, Func<bool> CancelSync, Func<bool> Flush)> make)
    {
        Item[] items = [.. Enumerable.Range(0, 6).Select(_ => new Item(time))];
        var calls = items.Select(make).ToArray();
        foreach ((Call call, int number, int milliseconds) in steps)
        {
            Item item = items[number];
            TimeSpan delay = TimeSpan.FromMilliseconds(milliseconds);
            switch (call)
            {
                case Call.Queue:
                    bool wasPending = item.IsPending;
                    Assert.Equal(!wasPending, calls[number].Queue(delay));
                    if (!wasPending)
                        item.Due(delay);
                    break;
                case Call.Modify:
                    Assert.Equal(item.IsPending, calls[number].Modify(delay));
                    item.Due(delay);
                    break;
                case Call.Cancel:
                    Assert.Equal(item.TakeBack(), calls[number].Cancel());
                    break;
                case Call.CancelSync:
                    Assert.Equal(item.TakeBack(), calls[number].CancelSync());
                    break;
                case Call.Flush:
                    bool isDue = item.IsPending;
                    if (isDue)
                        item.Due(TimeSpan.Zero);
                    calls[number].Flush();
                    break;
                default:
                    time.Advance(delay < TimeSpan.Zero ? TimeSpan.Zero : delay);
                    break;
            }

            // What is due by now runs, once for each time; who runs more often is found at the next step, or at the end.
            foreach (Item each in items)
                each.AwaitDue();
        }

        foreach ((Item item, (_, _, _, Func<bool> cancelSync, _)) in items.Zip(calls))
            Assert.Equal(item.TakeBack(), cancelSync());
        foreach (Item item in items)
            item.AssertOver();
    }

    private sealed class Item(FakeTimeProvider time)
    {
        private readonly Completion _ran = new();
        private DateTimeOffset? _due; // the driver's own

        internal bool IsPending => _due is not null;

        internal void Due(TimeSpan delay) => _due = time.GetUtcNow() + (delay > TimeSpan.Zero ? delay : TimeSpan.Zero);

        internal bool TakeBack()
        {
            bool was = _due is not null;
            _due = null;
            return was;
        }

        internal void AwaitDue()
        {
            if (_due is { } due && due <= time.GetUtcNow())
            {
                _ran.Wait();
                _due = null;
            }

            Assert.False(_ran.IsDone, $"it ran at {time.GetUtcNow()}, and is due at {_due?.ToString() ?? "no time"}");
        }

        internal void AssertOver() => Assert.False(_ran.IsDone, "it ran once more than it was queued");

        internal void Run() => _ran.Complete();
    }
}
