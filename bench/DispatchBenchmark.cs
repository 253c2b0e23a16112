using System.Threading.Tasks.Dataflow;
using BenchmarkDotNet.Attributes;

namespace Kworker.Bench;

/// <summary>Queue and run many tiny items; the time is an item's.</summary>
[ShortRunJob, MemoryDiagnoser]
public class DispatchBenchmark
{
    private const int Items = 20_000;
    private readonly Countdown _countdown = new();
    private Workqueue _queue = null!;
    private Work<Countdown>[] _works = null!;
    private PoolItem[] _poolItems = null!;
    private ActionBlock<int> _block = null!;

    [GlobalSetup]
    public void Setup()
    {
        _queue = new Workqueue("bench", new WorkqueueOptions { MaxActive = int.MaxValue });
        _works = [.. Enumerable.Range(0, Items).Select(_ => new Work<Countdown>(_countdown, static c => c.Signal()))];
        _poolItems = [.. Enumerable.Range(0, Items).Select(_ => new PoolItem(_countdown))];
        _block = new ActionBlock<int>(_ => _countdown.Signal());
    }

    [GlobalCleanup]
    public void Cleanup() => _queue.Dispose();

    [Benchmark(Baseline = true, OperationsPerInvoke = Items)]
    public void ThreadPoolUnsafeQueue()
    {
        _countdown.Reset(Items);
        foreach (PoolItem item in _poolItems)
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
        _countdown.Wait();
    }

    [Benchmark(OperationsPerInvoke = Items)]
    public void WorkqueueQueue()
    {
        _countdown.Reset(Items);
        foreach (Work<Countdown> work in _works)
            _queue.Queue(work);
        _countdown.Wait();
    }

    [Benchmark(OperationsPerInvoke = Items)]
    public void ActionBlockPost()
    {
        _countdown.Reset(Items);
        for (int i = 0; i < Items; i++)
            _block.Post(i);
        _countdown.Wait();
    }

    private sealed class PoolItem(Countdown countdown) : IThreadPoolWorkItem
    {
        public void Execute() => countdown.Signal();
    }

    /// <summary>The same for all of them: one interlocked decrement an item, one event at the end.</summary>
    private sealed class Countdown
    {
        private readonly ManualResetEventSlim _zero = new();
        private int _left;

        internal void Reset(int count)
        {
            _zero.Reset();
            _left = count;
        }

        internal void Signal()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                _zero.Set();
        }

        internal void Wait() => _zero.Wait();
    }
}
