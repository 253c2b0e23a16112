using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;

namespace Kworker.Bench;

/// <summary>
/// Items that each wait for one that is queued behind them all: what starves a thread pool. Once, in a fresh process: afterwards the pool has the threads
/// that it lacked.
/// </summary>
[SimpleJob(RunStrategy.ColdStart, launchCount: 1, warmupCount: 0, iterationCount: 1)]
public class BlockingItemsBenchmark
{
    [Params(64)]
    public int Items { get; set; }

    [Benchmark(Baseline = true)]
    public void ThreadPoolItems()
    {
        using var gate = new ManualResetEventSlim();
        using var done = new CountdownEvent(Items);
        for (int i = 0; i < Items; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => { gate.Wait(); done.Signal(); }, null);
        }

        ThreadPool.UnsafeQueueUserWorkItem(_ => gate.Set(), null);
        done.Wait();
    }

    [Benchmark]
    public void WorkqueueItems()
    {
        using var queue = new Workqueue("bench", new WorkqueueOptions { MaxActive = 1024 });
        var gate = new Completion();
        for (int i = 0; i < Items; i++)
            queue.Queue(new Work<Completion>(gate, static gate => gate.Wait()));
        queue.Queue(new Work<Completion>(gate, static gate => gate.CompleteAll()));
        queue.Flush();
    }
}
