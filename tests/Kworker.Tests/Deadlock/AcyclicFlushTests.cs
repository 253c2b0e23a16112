namespace Kworker.Tests;

/// <summary>
/// No false report: items that wait for each other in every way the library has, in graphs without a cycle, under load. A report would be thrown in a work
/// function, and is a failure.
/// </summary>
public sealed class AcyclicFlushTests
{
    private const int Items = 48;
    private const int Rounds = 40;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Waits_that_close_no_cycle_are_never_reported(int seed)
    {
        var random = new Random(seed);
        var failures = new List<Exception>();
        using var system = new KworkerSystem();
        // Items wait only for items of a higher number, and of a queue only items of lower numbers than any of its own: so there is no cycle, however they run.
        Workqueue[] queues =
        [
            .. Enumerable.Range(0, 3).Select(i => new Workqueue($"bound{i}", null, system)),
            .. Enumerable.Range(0, 3).Select(i => new Workqueue($"unbound{i}", new() { Unbound = true }, system)),
        ];
        using var last = new Workqueue("last", new() { MaxActive = 2, Unbound = true }, system);
        foreach (Workqueue queue in queues.Append(last))
            queue.UnhandledException += (_, e) => Add(e.Exception);
        using var kthreads = new KthreadWorker("kthreads", system);
        kthreads.UnhandledException += (_, e) => Add((Exception)e.ExceptionObject);
        var leaves = Enumerable.Range(0, 8).Select(i => new Work<int>(i, static i => Thread.SpinWait(i * 20))).ToArray();
        var threadLeaves = Enumerable.Range(0, 4).Select(i => new KthreadWork<int>(i, i =>
        {
            last.Queue(leaves[i]);
            leaves[i + 1].Flush();
        })).ToArray();
        var items = new Work[Items];
        for (int i = Items - 1; i >= 0; i--)
            items[i] = MakeItem(i, random.Next(), items, queues, last, leaves, kthreads, threadLeaves);

        var threads = Enumerable.Range(0, 4).Select(t => Kthread.Run(t =>
        {
            var random = new Random(seed * 100 + t);
            for (int round = 0; round < Rounds; round++)
            {
                for (int n = 0; n < Items / 2; n++)
                    queues[random.Next(queues.Length)].Queue(items[random.Next(Items)]);
                if (random.Next(3) == 0)
                    items[random.Next(Items)].CancelSync();
                if (random.Next(3) == 0)
                    queues[random.Next(queues.Length)].Flush();
            }

            return 1;
        }, t, $"producer{t}", system)).ToArray();
        foreach (Kthread thread in threads)
        {
            Until(() => thread.HasExited);
            Assert.Equal(1, thread.Stop());
        }

        foreach (Workqueue queue in queues)
            queue.Dispose();
        Assert.DoesNotContain(failures, static e => !IsRefusal(e));

        // At the end queues are drained one by one, and items of those that are not yet queue on those that are.
        static bool IsRefusal(Exception e) => e is InvalidOperationException and not DeadlockException;

        void Add(Exception e)
        {
            lock (failures)
                failures.Add(e);
        }
    }

    private static Work<int> MakeItem(
        int number, int seed, Work[] items, Workqueue[] queues, Workqueue last, Work<int>[] leaves, KthreadWorker kthreads, KthreadWork<int>[] threadLeaves)
    {
        int shared = seed;
        if (number % 3 == 0)
            return new Work<int>(number, async (number, _) =>
            {
                for (int step = 0; step < 3; step++)
                {
                    var random = new Random(Interlocked.Increment(ref shared));
                    int target = random.Next(number + 1, Items + 1);
                    switch (random.Next(5))
                    {
                        case 0 when target < Items: queues[random.Next(queues.Length)].Queue(items[target]); await items[target].FlushAsync(); break;
                        case 1 when target < Items: await items[target].CancelSyncAsync(); break;
                        case 2: last.Queue(leaves[random.Next(8)]); await last.FlushAsync(); break;
                        case 3: kthreads.Queue(threadLeaves[random.Next(4)]); await kthreads.FlushAsync(); break;
                        default: await leaves[random.Next(8)].FlushAsync(); break;
                    }
                }
            });
        return new Work<int>(number, number =>
        {
            var random = new Random(Interlocked.Increment(ref shared));
            int target = random.Next(number + 1, Items + 1);
            switch (random.Next(6))
            {
                case 0 when target < Items: queues[random.Next(queues.Length)].Queue(items[target]); items[target].Flush(); break;
                case 1 when target < Items: items[target].Flush(); break;
                case 2 when target < Items: items[target].CancelSync(); break;
                case 3: last.Queue(leaves[random.Next(8)]); last.Flush(); break;
                case 4: kthreads.Queue(threadLeaves[random.Next(4)]); threadLeaves[random.Next(4)].Flush(); break;
                default: leaves[random.Next(8)].CancelSync(); break;
            }
        });
    }

    [Fact]
    public void A_deep_chain_of_flushes_ends()
    {
        const int Depth = 200;
        using var system = new KworkerSystem();
        using var queue = new Workqueue("deep", new() { Unbound = true, MaxActive = int.MaxValue }, system);
        Exception? failure = null;
        queue.UnhandledException += (_, e) => failure = e.Exception;
        int ends = 0;
        var items = new Work<int>[Depth];
        for (int i = 0; i < Depth; i++)
        {
            items[i] = new Work<int>(i, i =>
            {
                if (i + 1 < Depth)
                {
                    queue.Queue(items[i + 1]);
                    items[i + 1].Flush();
                }

                Interlocked.Increment(ref ends);
            });
        }

        queue.Queue(items[0]);
        queue.Flush();
        while (Volatile.Read(ref ends) < Depth)
            queue.Flush();
        Assert.Null(failure);
    }

    private static void Until(Func<bool> condition)
    {
        var spin = new SpinWait();
        while (!condition())
            spin.SpinOnce();
    }
}
