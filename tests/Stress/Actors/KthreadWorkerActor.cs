using System.Collections.Concurrent;

namespace Kworker.Stress.Actors;

/// <summary>A kthread worker and its items, plain and delayed, handled by two threads at once, and disposed of in the end.</summary>
internal sealed class KthreadWorkerActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
    {
        while (IsOn)
            Live();
    }

    private void Live()
    {
        Doing("make");
        var worker = new KthreadWorker("st/kworker", World.System);
        World.Watch(worker, "kthread worker");
        int reported = 0;
        var thrown = new StrongBox();
        worker.UnhandledException += (_, e) =>
        {
            if (e.ExceptionObject is StressFailure)
                Interlocked.Increment(ref reported);
            else
                Verdict.Fail($"{Name}: {e.ExceptionObject}");
        };
        Item[] items = [.. Enumerable.Range(0, Random.Next(1, 20)).Select(i => new Item(World, worker, $"kthread item {i}", Random.Next(), thrown))];
        int steps = Random.Next(500), otherSeed = Random.Next();
        var failures = new ConcurrentQueue<Exception>();
        var other = new Thread(() =>
        {
            try
            {
                Handle(worker, items, new Random(otherSeed), steps);
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        })
        { IsBackground = true, Name = "st/kworker2" };
        other.Start();
        Doing("handle");
        Handle(worker, items, Random, steps);
        Doing("join");
        other.Join();
        foreach (Exception e in failures)
            Verdict.Fail($"{Name}: {e}");
        Doing("cancel");
        foreach (Item item in items.Where(static item => item.IsDelayed))
            item.CancelSync();
        Doing("dispose");
        foreach (Item item in items)
            item.End();
        if (Chance(0.5))
            worker.Dispose();
        else
            worker.DisposeAsync().AsTask().GetAwaiter().GetResult();
        foreach (Item item in items)
            item.Ledger.CheckBalance();
        if (thrown.Value != reported)
            Verdict.Fail($"{Name}: {thrown.Value} exceptions left functions, {reported} were reported");
    }

    private static void Handle(KthreadWorker worker, Item[] items, Random random, int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            Item item = items[random.Next(items.Length)];
            switch (random.Next(100))
            {
                case < 40:
                    item.Queue();
                    break;
                case < 60 when item.IsDelayed:
                    item.Queue(TimeSpan.FromMilliseconds(random.NextDouble()));
                    break;
                case < 75 when item.IsDelayed:
                    item.Modify(TimeSpan.FromMilliseconds(random.NextDouble()));
                    break;
                case < 85:
                    item.CancelSync();
                    break;
                case < 90:
                    item.Flush();
                    break;
                case < 93:
                    worker.Flush();
                    break;
                default:
                    Spin(300);
                    break;
            }
        }
    }

    private sealed class StrongBox
    {
        internal int Value;
    }

    private sealed class Item
    {
        private readonly KthreadWorker _worker;
        private readonly KthreadWork _work;
        private readonly KthreadDelayedWork? _delayed;
        private readonly Random _random;
        private readonly StrongBox _thrown;
        private volatile bool _isEnding;

        internal Item(World world, KthreadWorker worker, string name, int seed, StrongBox thrown)
        {
            _worker = worker;
            _random = new Random(seed);
            _thrown = thrown;
            Ledger = new Ledger(world.Verdict, name);
            _work = _random.Next(2) == 0
                ? new KthreadWork<Item>(this, static item => item.Run())
                : _delayed = new KthreadDelayedWork<Item>(this, static item => item.Run());
            world.Watch(_work, name);
        }

        internal Ledger Ledger { get; }

        internal bool IsDelayed => _delayed is not null;

        internal void Queue() => Ledger.Accept(_worker.Queue(_work));

        internal void Queue(TimeSpan delay) => Ledger.Accept(_worker.Queue(_delayed!, delay));

        internal void Modify(TimeSpan delay)
        {
            Ledger.BeginDisturb();
            Ledger.Accept(!_worker.Modify(_delayed!, delay));
            Ledger.EndDisturb(takenBack: false);
        }

        internal void CancelSync()
        {
            Ledger.BeginDisturb();
            Ledger.EndDisturb(_work.CancelSync());
        }

        internal void Flush()
        {
            Ledger.FlushMark mark = Ledger.Mark();
            _work.Flush();
            Ledger.CheckFlushed(mark);
        }

        /// <summary>From here on its worker may refuse it.</summary>
        internal void End() => _isEnding = true;

        private void Run()
        {
            Ledger.BeginRun();
            try
            {
                switch (_random.Next(20))
                {
                    case 0:
                        Worker.Sleep(TimeSpan.FromMilliseconds(_random.NextDouble()));
                        break;
                    case 1:
                        Queue();
                        break;
                    case 2 when IsDelayed:
                        Queue(TimeSpan.FromMilliseconds(_random.NextDouble()));
                        break;
                    case 3:
                        Interlocked.Increment(ref _thrown.Value);
                        throw new StressFailure();
                    default:
                        break;
                }
            }
            catch (ObjectDisposedException) when (_isEnding)
            {
                return; // it queued itself while its worker finishes what is queued
            }
            finally
            {
                Ledger.EndRun();
            }
        }
    }
}
