using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>Which items are at work: the first in line, as many as the queue admits, in the order of queueing; each begins as soon as there is room.</summary>
public sealed class MaxActiveModelTests : IDisposable
{
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public enum Call
    {
        Queue,
        LetEnd,
        Cancel,
    }

    /// <param name="isUnbound">In the pool that starts everything at once, or in a managed one.</param>
    [Theory, InlineData(false), InlineData(true)]
    public void Of_plain_functions(bool isUnbound) => Sample(isAsync: false, isOrdered: false, isUnbound);

    [Theory, InlineData(false), InlineData(true)]
    public void Of_async_functions(bool isUnbound) => Sample(isAsync: true, isOrdered: false, isUnbound);

    [Fact]
    public void Of_an_ordered_queue() => Sample(isAsync: false, isOrdered: true, isUnbound: false);

    [Fact]
    public void Of_async_functions_on_an_ordered_queue() => Sample(isAsync: true, isOrdered: true, isUnbound: false);

    /// <summary>Small numbers, with which each item comes again and again, and some larger ones.</summary>
    private static readonly Gen<(int MaxActive, int Items, int Steps)> s_sizes = Gen.Frequency(
        (4, Gen.Select(Gen.Int[1, 4], Gen.Const(10), Gen.Int[1, 60])),
        (1, Gen.Select(Gen.Int[5, 60], Gen.Int[20, 80], Gen.Int[60, 250])));

    private void Sample(bool isAsync, bool isOrdered, bool isUnbound) => s_sizes.SelectMany(
        static size => Gen.Select(Gen.Enum<Call>(), Gen.Int[0, size.Items - 1]).Array[size.Steps],
        static (size, steps) => (size.MaxActive, size.Items, Steps: steps)).Sample(
        each => Try(isOrdered ? 1 : each.MaxActive, each.Items, each.Steps, isAsync, isOrdered, isUnbound), iter: ModelRun.Times(60), threads: 1);

    private void Try(int maxActive, int count, (Call Call, int Item)[] steps, bool isAsync, bool isOrdered, bool isUnbound)
    {
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = maxActive, Ordered = isOrdered, Unbound = isUnbound }, _system);
        Item[] items = [.. Enumerable.Range(0, count).Select(_ => new Item(isAsync))];
        var line = new List<Item>(); // pending, in order
        var active = new List<Item>(); // at work
        foreach ((Call call, int number) in steps)
        {
            Item item = items[number];
            switch (call)
            {
                case Call.Queue:
                    Assert.Equal(!line.Contains(item), queue.Queue(item.Work));
                    if (!line.Contains(item))
                        line.Add(item);
                    break;
                case Call.LetEnd when active.Remove(item):
                    item.LetEnd();
                    break;
                // Not of one that also runs: what gets the place that its next run gives up begins, in the kernel too, only when a worker happens to come by.
                case Call.Cancel when !active.Contains(item):
                    Assert.Equal(line.Remove(item), item.Work.Cancel());
                    break;
                default:
                    break;
            }

            Admit(line, active, maxActive);
        }

        while (active.Count > 0)
        {
            active[0].LetEnd();
            active.RemoveAt(0);
            Admit(line, active, maxActive);
        }

        queue.Flush();
        foreach (Item item in items)
        {
            Assert.Equal(WorkBusy.None, item.Work.Busy);
            item.AssertNotEntered();
        }
    }

    /// <summary>
    /// The model: who comes first has the place. One that runs still takes a place for its next run, too, where it waits for the end of the one before: as in the kernel.
    /// </summary>
    private static void Admit(List<Item> line, List<Item> active, int maxActive)
    {
        int free = maxActive - active.Count;
        foreach (Item item in line.ToArray())
        {
            if (free-- <= 0)
                break;
            if (active.Contains(item))
                continue;
            line.Remove(item);
            active.Add(item);
            item.AwaitEntered();
        }

        foreach (Item item in line)
            item.AssertNotEntered();
    }

    private sealed class Item
    {
        private readonly Completion _entered = new();
        private readonly Completion _gate = new();

        internal Item(bool isAsync) => Work = isAsync
            ? new Work<Item>(this, static async (item, _) =>
            {
                item._entered.Complete();
                await item._gate.WaitAsync();
            })
            : new Work<Item>(this, static item =>
            {
                item._entered.Complete();
                item._gate.Wait();
            });

        internal Work<Item> Work { get; }

        internal void LetEnd() => _gate.Complete();

        internal void AwaitEntered() => _entered.Wait();

        internal void AssertNotEntered() => Assert.False(_entered.IsDone, "it has begun, and it was not its turn");
    }
}
