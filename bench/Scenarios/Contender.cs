namespace Kworker.Bench.Scenarios;

/// <summary>Something that runs functions in the background: the contestants of the scenarios about items that block.</summary>
internal abstract class Contender : IDisposable
{
    /// <summary>How long an item blocks.</summary>
    internal static readonly TimeSpan BlockingTime = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs a function some time.</summary>
    /// <param name="function">What to run.</param>
    /// <param name="queue">Which queue, where a contender has queues and the scenario wants several; others ignore it.</param>
    internal abstract void Queue(Action function, int queue = 0);

    public abstract void Dispose();

    /// <summary>A contender by its name.</summary>
    /// <param name="name">threads, threadpool, threadpool-raised, workqueue, workqueue-unbound.</param>
    /// <param name="items">How many items there will be: the best configuration of the thread pool knows.</param>
    /// <param name="queues">How many queues, where a contender has queues.</param>
    internal static Contender Create(string name, int items, int queues = 1) => name switch
    {
        "threads" => new Threads(),
        "threadpool" => new Pool(),
        "threadpool-raised" => new Pool(items + 8),
        "workqueue" => new Queues(queues, new WorkqueueOptions { MaxActive = int.MaxValue }),
        "workqueue-unbound" => new Queues(queues, new WorkqueueOptions { MaxActive = int.MaxValue, Unbound = true }),
        _ => throw new ArgumentException($"Nobody knows the contender {name}."),
    };

    private sealed class Threads : Contender
    {
        internal override void Queue(Action function, int queue = 0) => new Thread(new ThreadStart(function), 256 * 1024) { IsBackground = true }.Start();

        public override void Dispose()
        {
        }
    }

    private sealed class Pool : Contender
    {
        internal Pool()
        {
        }

        internal Pool(int least)
        {
            ThreadPool.GetMinThreads(out _, out int completionPort);
            ThreadPool.SetMinThreads(least, completionPort);
        }

        internal override void Queue(Action function, int queue = 0) => ThreadPool.UnsafeQueueUserWorkItem(static function => ((Action)function!)(), function);

        public override void Dispose()
        {
        }
    }

    private sealed class Queues(int count, WorkqueueOptions options) : Contender
    {
        private readonly Workqueue[] _queues = [.. Enumerable.Range(0, count).Select(i => new Workqueue($"bench-{i}", options))];

        internal override void Queue(Action function, int queue = 0) => _queues[queue].Queue(new Work<Action>(function, static function => function()));

        public override void Dispose()
        {
            foreach (Workqueue queue in _queues)
                queue.Dispose();
        }
    }
}
