using System.Threading.Channels;
using System.Threading.Tasks.Dataflow;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>Queue and run a tiny item: from one thread, from two at once, and in a chain, where each item queues the next.</summary>
internal sealed class DispatchScenario : IScenario
{
    private readonly Countdown _countdown = new();
    private Producers _producers = null!;

    public string Name => "dispatch";

    public string Summary => "queue and run a tiny item: 1 producer, 2 producers, chained; items=20000 rounds=15 producers=1,2 chains=1 ring=64";

    public void Run(ScenarioOptions options)
    {
        int items = options.Number("items", 20_000), rounds = options.Number("rounds", 15), ring = options.Number("ring", 64);
        int[] producers = options.Numbers("producers", "1,2"), chains = options.Numbers("chains", "1");
        using var queue = new Workqueue("bench", new WorkqueueOptions { MaxActive = int.MaxValue });
        using var bounded = new Workqueue("bench-256");
        foreach (int count in producers)
        {
            using (_producers = new Producers(count))
                Spread($"Queue and run a tiny item, {count} producer{(count == 1 ? "" : "s")}", items / count * count, count, rounds, queue, bounded);
        }

        foreach (int count in chains)
            Chained($"Queue and run a tiny item, each queues the next, {count} chain{(count == 1 ? "" : "s")}", items, count, ring, rounds, queue);
    }

    private void Spread(string title, int items, int producers, int rounds, Workqueue queue, Workqueue bounded)
    {
        Work<Countdown>[] works = [.. Enumerable.Range(0, items).Select(_ => new Work<Countdown>(_countdown, static c => c.Signal()))];
        PoolItem[] poolItems = [.. Enumerable.Range(0, items).Select(_ => new PoolItem(_countdown))];
        StateTwin[] twins = [.. Enumerable.Range(0, items).Select(_ => new StateTwin(_countdown, static c => ((Countdown)c).Signal()))];
        var block = new ActionBlock<int>(_ => _countdown.Signal());
        var parallelBlock = new ActionBlock<int>(
            _ => _countdown.Signal(), new ExecutionDataflowBlockOptions { MaxDegreeOfParallelism = Environment.ProcessorCount });
        var channel = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
        Task reader = ReadAsync(channel.Reader, _countdown);

        new Comparison(title) { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("Workqueue", items, () => Produce(items, producers, i => queue.Queue(works[i])))
            .Add("ThreadPool, IThreadPoolWorkItem", items, () => Produce(items, producers, i => ThreadPool.UnsafeQueueUserWorkItem(poolItems[i], false)))
            .Add("ActionBlock", items, () => Produce(items, producers, i => block.Post(i)))
            .Add("ActionBlock, one a processor", items, () => Produce(items, producers, i => parallelBlock.Post(i)))
            .Add("Channel and one reader", items, () => Produce(items, producers, i => channel.Writer.TryWrite(i)))
            .Add("Workqueue, MaxActive 256", items, () => Produce(items, producers, i => bounded.Queue(works[i])))
            .Add("Twin: an item's states, thread pool's queue", items, () => Produce(items, producers, i => twins[i].Queue()))
            .Run();
        channel.Writer.Complete();
        reader.Wait();
    }

    private void Produce(int items, int producers, Action<int> queue)
    {
        _countdown.Reset(items);
        int share = items / producers;
        _producers.Produce(number =>
        {
            for (int i = number * share, end = i + share; i < end; i++)
                queue(i);
        });
        _countdown.Wait();
    }

    private void Chained(string title, int items, int chains, int ring, int rounds, Workqueue queue)
    {
        Link[] links = Ring<Link>(chains, ring, next => new Link(_countdown, chains, queue, next));
        PoolLink[] shared = Ring<PoolLink>(chains, ring, next => new PoolLink(_countdown, chains, preferLocal: false, next));
        PoolLink[] local = Ring<PoolLink>(chains, ring, next => new PoolLink(_countdown, chains, preferLocal: true, next));
        TwinLink[] twins = Ring<TwinLink>(chains, ring, next => new TwinLink(_countdown, chains, next));
        ActionBlock<int> block = null!;
        block = new ActionBlock<int>(i =>
        {
            if (_countdown.Signal() >= chains)
                block.Post(i);
        });
        var channel = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
        Task reader = ReadChainedAsync(channel, _countdown, chains);

        new Comparison(title) { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("Workqueue", items, () => Chain(items, links, static link => link.Queue()))
            .Add("ThreadPool, IThreadPoolWorkItem", items, () => Chain(items, shared, static link => link.Queue()))
            .Add("ThreadPool, preferLocal", items, () => Chain(items, local, static link => link.Queue()))
            .Add("ActionBlock", items, () => Chain(items, links, _ => block.Post(0)))
            .Add("Channel and one reader", items, () => Chain(items, links, _ => channel.Writer.TryWrite(0)))
            .Add("Twin: an item's states, thread pool's queue", items, () => Chain(items, twins, static link => link.Queue()))
            .Run();
        channel.Writer.Complete();
        reader.Wait();
    }

    private void Chain<T>(int items, T[] links, Action<T> begin)
    {
        _countdown.Reset(items);
        foreach (T link in links)
            begin(link);
        _countdown.Wait();
    }

    private static async Task ReadAsync(ChannelReader<int> reader, Countdown countdown)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (await reader.WaitToReadAsync())
        {
            while (reader.TryRead(out _))
                countdown.Signal();
        }
    }

    private static async Task ReadChainedAsync(Channel<int> channel, Countdown countdown, int chains)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (await channel.Reader.WaitToReadAsync())
        {
            while (channel.Reader.TryRead(out int i))
            {
                if (countdown.Signal() >= chains)
                    channel.Writer.TryWrite(i);
            }
        }
    }

    private sealed class PoolItem(Countdown countdown) : IThreadPoolWorkItem
    {
        public void Execute() => countdown.Signal();
    }

    /// <summary>For each chain the first of so many items that stand in a ring.</summary>
    private static T[] Ring<T>(int chains, int length, Func<T?, T> make)
        where T : class, ILink<T> => [.. Enumerable.Range(0, chains).Select(_ =>
        {
            T last = make(null), first = last;
            for (int i = 1; i < length; i++)
                first = make(first);
            last.Next = first;
            return first;
        })];

    private interface ILink<T>
    {
        T Next { set; }
    }

    /// <summary>An item that queues the next; with no more left than there are chains, each of them stops.</summary>
    private sealed class Link : ILink<Link>
    {
        private readonly Countdown _countdown;
        private readonly int _chains;
        private readonly Workqueue _queue;
        private readonly Work<Link> _work;

        internal Link(Countdown countdown, int chains, Workqueue queue, Link? next)
        {
            (_countdown, _chains, _queue, Next) = (countdown, chains, queue, next!);
            _work = new Work<Link>(this, static link => link.Run());
        }

        public Link Next { get; set; }

        internal void Queue() => _queue.Queue(_work);

        private void Run()
        {
            if (_countdown.Signal() >= _chains)
                Next.Queue();
        }
    }

    private sealed class TwinLink : ILink<TwinLink>
    {
        private readonly Countdown _countdown;
        private readonly int _chains;
        private readonly StateTwin _item;

        internal TwinLink(Countdown countdown, int chains, TwinLink? next)
        {
            (_countdown, _chains, Next) = (countdown, chains, next!);
            _item = new StateTwin(this, static link => ((TwinLink)link).Run());
        }

        public TwinLink Next { get; set; }

        internal void Queue() => _item.Queue();

        private void Run()
        {
            if (_countdown.Signal() >= _chains)
                Next.Queue();
        }
    }

    private sealed class PoolLink(Countdown countdown, int chains, bool preferLocal, PoolLink? next) : IThreadPoolWorkItem, ILink<PoolLink>
    {
        public PoolLink Next { get; set; } = next!;

        internal void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal);

        public void Execute()
        {
            if (countdown.Signal() >= chains)
                Next.Queue();
        }
    }
}
