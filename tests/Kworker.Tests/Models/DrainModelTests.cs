using CsCheck;

namespace Kworker.Tests.Models;

/// <summary>
/// Threads that queue while others drain, and somebody disposes: what is taken runs, once for each time; what is refused does not; a drain returns when all that was taken
/// before it has run, what that has queued included; after the end nothing runs and nothing is taken.
/// </summary>
public sealed class DrainModelTests : IDisposable
{
    private const int Items = 5;
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public enum Call
    {
        Queue,
        QueueChain,
        QueueOften,
        Drain,
        DrainAsync,
        Flush,
    }

    private static readonly Gen<(Call Call, int Item)[][]> s_programs = Gen.Select(
        Gen.Frequency(
            (5, Gen.Const(Call.Queue)), (3, Gen.Const(Call.QueueChain)), (2, Gen.Const(Call.QueueOften)), (2, Gen.Const(Call.Drain)), (2, Gen.Const(Call.DrainAsync)),
            (1, Gen.Const(Call.Flush))),
        Gen.Int[0, Items - 1]).Array[1, 15].Array[2, 4];

    [Theory, InlineData(false), InlineData(true)]
    public void Threads_queue_and_drain(bool isAsync) => Gen.Select(s_programs, Gen.Int[1, 4], Gen.Bool).Sample(
        (programs, maxActive, isUnbound) => Try(programs, maxActive, isUnbound, isAsync, disposes: false), iter: ModelRun.Times(200), threads: 1);

    [Theory, InlineData(false), InlineData(true)]
    public void Threads_queue_and_drain_and_one_disposes(bool isAsync) => Gen.Select(s_programs, Gen.Int[1, 4], Gen.Bool).Sample(
        (programs, maxActive, isUnbound) => Try(programs, maxActive, isUnbound, isAsync, disposes: true), iter: ModelRun.Times(200), threads: 1);

    private void Try((Call Call, int Item)[][] programs, int maxActive, bool isUnbound, bool isAsync, bool disposes)
    {
        var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = maxActive, Unbound = isUnbound }, _system);
        Item[] items = [.. Enumerable.Range(0, Items).Select(_ => new Item(queue, isAsync))];
        int disposals = 0;
        Tests.Together.Run(
        [
            .. programs.Select(program => (Action)(() =>
            {
                foreach ((Call call, int item) in program)
                    Perform(queue, items, call, items[item]);
            })),
            () =>
            {
                if (!disposes)
                    return;
                int[] taken = Taken(items);
                queue.Dispose();
                Interlocked.Increment(ref disposals);
                AssertRan(items, taken);
                foreach (Item item in items)
                    item.AssertRefused();
            },
        ]);
        if (!disposes)
            queue.Drain();
        queue.Dispose();
        Assert.Equal(disposes ? 1 : 0, disposals);
        foreach (Item item in items)
        {
            Assert.Equal(item.Taken, item.Ran);
            Assert.Equal(WorkBusy.None, item.Work.Busy);
        }
    }

    private static void Perform(Workqueue queue, Item[] items, Call call, Item item)
    {
        switch (call)
        {
            case Call.Queue:
                item.Queue(chain: 0);
                break;
            case Call.QueueChain:
                item.Queue(chain: 3);
                break;
            case Call.QueueOften:
                for (int i = 0; i < 20; i++)
                    item.Queue(chain: 0);
                break;
            case Call.Flush:
                int before = item.Taken;
                item.Work.Flush();
                Assert.True(item.Ran >= before);
                break;
            default:
                int[] taken = Taken(items);
                if (call == Call.Drain)
                    queue.Drain();
                else
                    queue.DrainAsync().AsTask().GetAwaiter().GetResult();
                AssertRan(items, taken);
                break;
        }
    }

    private static int[] Taken(Item[] items) => [.. items.Select(static item => item.Taken)];

    private static void AssertRan(Item[] items, int[] taken) =>
        Assert.All(items, (item, i) => Assert.True(item.Ran >= taken[i], $"{taken[i]} were taken, {item.Ran} have run"));

    private sealed class Item
    {
        private readonly Workqueue _queue;
        private int _taken;
        private int _ran;
        private int _runs;
        private int _chain; // so often more it queues itself

        internal Item(Workqueue queue, bool isAsync)
        {
            _queue = queue;
            Work = isAsync
                ? new Work<Item>(this, static async (item, _) =>
                {
                    item.Enter();
                    await new Completion().WaitAsync(TimeSpan.Zero);
                    item.Leave();
                })
                : new Work<Item>(this, static item =>
                {
                    item.Enter();
                    item.Leave();
                });
        }

        internal Work<Item> Work { get; }

        /// <summary>It is counted after it has been taken: so many were, at least.</summary>
        internal int Taken => Volatile.Read(ref _taken);

        /// <summary>It is counted before its run is over: so many were, or are at their end.</summary>
        internal int Ran => Volatile.Read(ref _ran);

        internal void Queue(int chain)
        {
            Interlocked.Add(ref _chain, chain);
            try
            {
                if (_queue.Queue(Work))
                    Interlocked.Increment(ref _taken);
            }
            catch (InvalidOperationException)
            {
                // drains, or is disposed of
            }
        }

        /// <summary>The queue is disposed of. No exception comes where somebody else, who is about to be refused, has the item just now.</summary>
        internal void AssertRefused()
        {
            try
            {
                Assert.False(_queue.Queue(Work));
            }
            catch (ObjectDisposedException)
            {
                return;
            }
        }

        private void Enter() => Assert.Equal(1, Interlocked.Increment(ref _runs));

        private void Leave()
        {
            if (Interlocked.Decrement(ref _chain) >= 0)
            {
                // Of the queue's own item it is let in, whatever drains.
                if (_queue.Queue(Work))
                    Interlocked.Increment(ref _taken);
            }
            else
            {
                Interlocked.Increment(ref _chain);
            }

            Interlocked.Decrement(ref _runs);
            Interlocked.Increment(ref _ran);
        }
    }
}
