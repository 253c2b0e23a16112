namespace Kworker.Systematic;

/// <summary>The ring that items are pushed into without a lock, against who takes them out, and while a larger one takes its place.</summary>
public sealed class InboxScenarios
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Each_pusher_s_items_come_out_once_and_in_their_order(int length) => Explorer.Explore(scenario =>
    {
        var box = new Box(length);
        Item[][] items = [.. Enumerable.Range(0, 2).Select(static pusher => Enumerable.Range(0, 3).Select(i => new Item(pusher, i)).ToArray())];
        var other = scenario.Run("pusher", () => box.Push(items[1]));
        var taker = scenario.Run("taker", () =>
        {
            for (int i = 0; i < 3; i++)
                box.TakeOne();
        });
        box.Push(items[0]);
        box.TakeAll();
        Assert.Equal([0, 1, 2], box.Of(0)); // what one has pushed, it finds
        other.Join();
        taker.Join();
        box.TakeAll();
        Assert.Equal([0, 1, 2], box.Of(0));
        Assert.Equal([0, 1, 2], box.Of(1));
        Assert.True(box.Inbox.IsEmpty);
    });

    private sealed class Item(int pusher, int number) : DeferredItem
    {
        internal int Pusher => pusher;

        internal int Number => number;
    }

    /// <summary>As a pool uses it.</summary>
    private sealed class Box(int length)
    {
        private readonly List<Item> _taken = [];
        private Spinlock _lock;

        internal Inbox Inbox = new(length);

        internal void Push(Item[] items)
        {
            foreach (Item item in items)
            {
                if (!Inbox.TryPush(item))
                    PushLocked(item);
            }
        }

        internal void TakeOne()
        {
            _lock.Enter();
            if (Inbox.TryTake() is { } item)
                _taken.Add((Item)item);
            _lock.Exit();
        }

        internal void TakeAll()
        {
            _lock.Enter();
            TakeOut(Inbox.TakeAll());
            _lock.Exit();
        }

        internal int[] Of(int pusher)
        {
            _lock.Enter();
            int[] numbers = [.. _taken.Where(item => item.Pusher == pusher).Select(static item => item.Number)];
            _lock.Exit();
            return numbers;
        }

        private void PushLocked(Item item)
        {
            Inbox.Ring? larger = Inbox.MakeLarger();
            _lock.Enter();
            TakeOut(Inbox.Replace(larger));
            _taken.Add(item);
            _lock.Exit();
        }

        private void TakeOut(Inbox.Rest rest)
        {
            while (rest.TryTake(out DeferredItem item))
                _taken.Add((Item)item);
        }
    }
}
