using System.Diagnostics;
using Kworker.Stress.Actors;

namespace Kworker.Stress;

/// <summary>One <see cref="KworkerSystem"/> and all that goes on in it, for some seconds; then the accounts are looked at.</summary>
internal sealed class World
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);
    private readonly List<(string Name, WeakReference Reference)> _watched;
    private readonly Random _random;
    private readonly List<StressQueue> _queues = [];
    private readonly List<StressItem> _items = [];
    private readonly List<Actor> _actors = [];
    private readonly string _name;
    private volatile bool _isStopping;
    private volatile bool _isDisposed;
    private long _thrown;
    private long _reported;
    private long _thrownByKthreads;
    private long _logged;
    private long _refusals;

    internal World(string name, int seed, Verdict verdict, List<(string Name, WeakReference Reference)> watched)
    {
        _name = name;
        Verdict = verdict;
        _watched = watched;
        _random = new Random(seed);
        System = new KworkerSystem(new KworkerSystemOptions { Log = Logged });
        Watch(System, "system");
        Watch(Gossip, "completion");
        Watch(Rumours, "wait queue");
    }

    internal Verdict Verdict { get; }

    internal KworkerSystem System { get; }

    /// <summary>Completed and waited for by anybody.</summary>
    internal Completion Gossip { get; } = new();

    /// <summary>Woken and waited on by anybody.</summary>
    internal WaitQueue Rumours { get; } = new();

    internal bool IsStopping => _isStopping || Verdict.HasFailed;

    internal bool IsDisposed => _isDisposed;

    internal IReadOnlyList<StressItem> Items => _items;

    internal StressItem AnyItem(Random random) => _items[random.Next(_items.Count)];

    internal StressQueue AnyQueue(Random random) => _queues[random.Next(_queues.Count)];

    /// <summary>Remembers an object that must be dead after the world's end.</summary>
    internal void Watch(object what, string name)
    {
        lock (_watched)
            _watched.Add(($"{_name} {name}", new WeakReference(what)));
    }

    internal void CountThrown() => Interlocked.Increment(ref _thrown);

    internal void CountRefusal() => Interlocked.Increment(ref _refusals);

    /// <summary>What the function of a kthread throws.</summary>
    internal StressFailure ThrownByKthread()
    {
        Interlocked.Increment(ref _thrownByKthreads);
        return new StressFailure();
    }

    /// <summary>The log of the system: failures of kthreads and no others.</summary>
    private void Logged(string text)
    {
        if (text.StartsWith("kthread st/kthread:", StringComparison.Ordinal) && text.Contains(nameof(StressFailure), StringComparison.Ordinal))
            Interlocked.Increment(ref _logged);
        else
            Verdict.Fail($"{_name}: logged: {text}");
    }

    /// <summary>The handler of all queues.</summary>
    internal void Reported(WorkExceptionEventArgs e)
    {
        if (e.Exception is StressFailure)
        {
            Interlocked.Increment(ref _reported);
        }
        else if (e.Exception is InvalidOperationException and not ObjectDisposedException
            && e.Exception.Message.Contains("is being drained", StringComparison.Ordinal))
        {
            StressItem.OwnerOf(e.Work).Ledger.Refuse();
            CountRefusal();
        }
        else
        {
            Verdict.Fail($"{_name}: {e.Workqueue.Name} reports {e.Exception}");
        }
    }

    /// <summary>Builds it, lets it run, ends it, and checks.</summary>
    internal void Run(TimeSpan time)
    {
        int queues = _random.Next(1, 6), items = _random.Next(1, 60);
        for (int i = 0; i < queues; i++)
            _queues.Add(new StressQueue(this, i, _random));
        for (int i = 0; i < items; i++)
            _items.Add(new StressItem(this, i, _random.Next(6) == 0 ? null : AnyQueue(_random), _random));
        for (int i = _random.Next(1, 4); i > 0; i--)
            _actors.Add(new ItemActor(this, $"st/items{i}", _random.Next()));
        for (int i = _random.Next(3); i > 0; i--)
            _actors.Add(new AsyncItemActor(this, $"st/aitems{i}", _random.Next()));
        AddSome(static (world, name, seed) => new TimingActor(world, name, seed), "st/timing");
        AddSome(static (world, name, seed) => new OrderActor(world, name, seed), "st/order");
        AddSome(static (world, name, seed) => new QueueLifeActor(world, name, seed), "st/queues");
        AddSome(static (world, name, seed) => new SystemLifeActor(world, name, seed), "st/systems");
        AddSome(static (world, name, seed) => new KthreadActor(world, name, seed), "st/kthreads");
        AddSome(static (world, name, seed) => new KthreadWorkerActor(world, name, seed), "st/kworkers");
        AddSome(static (world, name, seed) => new CompletionActor(world, name, seed), "st/compl");
        AddSome(static (world, name, seed) => new WaitQueueActor(world, name, seed), "st/waits");
        AddSome(static (world, name, seed) => new HelperActor(world, name, seed), "st/helpers");

        var over = new CountdownEvent(_actors.Count);
        foreach (Actor actor in _actors)
            Start(actor, over);
        long start = Stopwatch.GetTimestamp();
        while (!Verdict.HasFailed && Stopwatch.GetElapsedTime(start) < time)
            Thread.Sleep(10);
        _isStopping = true;
        if (!over.Wait(s_patience))
        {
            Verdict.Fail($"{_name}: not over after {s_patience}:\n{Report()}");
            return;
        }

        if (!Verdict.HasFailed)
            EndItems();
        if (!Verdict.HasFailed)
            EndSystem();
    }

    internal string Counts() =>
        $"{_name}: {_queues.Count} queues, {_items.Count} items, {_actors.Count} actors, {_items.Sum(static item => item.Ledger.Started)} runs, "
        + $"{_thrown} exceptions, {_refusals} refusals";

    private void AddSome(Func<World, string, int, Actor> make, string name)
    {
        int seed = _random.Next();
        if (_random.Next(3) != 0)
            _actors.Add(make(this, name, seed));
    }

    /// <summary>On what kind of thread an actor acts is left to chance: one of its own, a kthread of the world, and asynchronous ones on the thread pool.</summary>
    private void Start(Actor actor, CountdownEvent over)
    {
        if (actor is AsyncItemActor)
        {
            if (_random.Next(2) == 0)
                Task.Run(actor.RunAsync).ContinueWith(_ => over.Signal(), TaskScheduler.Default);
            else
                Watch(Kthread.Run(static async s => { await s.actor.RunAsync(); s.over.Signal(); return 0; }, (actor, over), actor.Name, System), actor.Name);
        }
        else if (_random.Next(2) == 0)
        {
            new Thread(() => { actor.Run(); over.Signal(); }) { IsBackground = true, Name = actor.Name }.Start();
        }
        else
        {
            Watch(Kthread.Run(static s => { s.actor.Run(); s.over.Signal(); return 0; }, (actor, over), actor.Name, System), actor.Name);
        }
    }

    /// <summary>Ends all items, in one way or another, and looks at their accounts.</summary>
    private void EndItems()
    {
        var ended = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            if (_random.Next(2) == 0)
            {
                // Until nothing is left of what queues what: the functions may queue others yet.
                foreach (StressQueue queue in _queues)
                    queue.Queue.Drain();
            }

            foreach (StressItem item in _items)
                item.CancelSync();
            foreach (StressItem item in _items)
                item.CancelSync(); // one that was queued by another before that was cancelled
            foreach (StressQueue queue in _queues)
                queue.Queue.Flush();
            ended.Set();
        })
        { IsBackground = true, Name = "st/end" };
        thread.Start();
        if (!ended.Wait(s_patience))
        {
            Verdict.Fail($"{_name}: its items do not end:\n{Report()}");
            return;
        }

        thread.Join();
        foreach (StressItem item in _items)
            item.CheckEnd();
        if (_thrown != _reported)
            Verdict.Fail($"{_name}: {_thrown} exceptions left functions, {_reported} were reported");
        // Only those that nobody had asked to stop are logged: who stops one has its exception.
        if (_thrownByKthreads < _logged)
            Verdict.Fail($"{_name}: {_thrownByKthreads} exceptions left kthreads, {_logged} were logged");
    }

    private void EndSystem()
    {
        var ended = new ManualResetEventSlim();
        var thread = new Thread(() =>
        {
            if (_random.Next(2) == 0)
                System.Dispose();
            else
                System.DisposeAsync().AsTask().Wait();
            _isDisposed = true;
            ended.Set();
        })
        { IsBackground = true, Name = "st/dispose" };
        thread.Start();
        if (ended.Wait(s_patience))
            thread.Join();
        else
            Verdict.Fail($"{_name}: the system does not end:\n{Report()}");
        if (!Verdict.HasFailed && Leaks.WaitUntilEmpty(System) is { } left)
            Verdict.Fail($"{_name}: {left}");
    }

    private string Report() => string.Join("\n", _actors.Select(static actor => actor.ToString()).Concat(_items.Select(static item => item.ToString())));
}
