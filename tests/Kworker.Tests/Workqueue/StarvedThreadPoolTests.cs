namespace Kworker.Tests;

/// <summary>What awaits the library's own waits goes on even while no thread of the .NET thread pool can be had. It takes them all, so it runs beside no other test.</summary>
[CollectionDefinition(nameof(StarvedThreadPoolTests), DisableParallelization = true)]
public sealed class StarvedThreadPoolTestsDefinition;

[Collection(nameof(StarvedThreadPoolTests))]
public sealed class StarvedThreadPoolTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    [Theory, InlineData(false), InlineData(true)]
    public void An_async_item_goes_on(bool unbound)
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("test", new WorkqueueOptions { Unbound = unbound }, system);
        using var aside = new Workqueue("aside", new WorkqueueOptions { Unbound = true }, system);
        using var worker = new KthreadWorker("test worker", system);
        using var over = new ManualResetEventSlim();
        var steps = new List<string>(); // of one item, one step at a time
        bool onWorkers = true;
        var work = new Work<object?>(null, async (_, token) =>
        {
            void Past(string wait)
            {
                steps.Add(wait);
                onWorkers &= Thread.CurrentThread.Name?.StartsWith("kworker/", StringComparison.Ordinal) == true;
            }

            var completion = new Completion();
            aside.Queue(new Work<Completion>(completion, static completion => completion.Complete()));
            await completion.WaitAsync(token);
            Past("completion");
            Assert.True((await completion.WaitAsync(TimeSpan.FromMilliseconds(1))).IsTimedOut);
            Past("time");
            var line = new WaitQueue();
            bool holds = false;
            aside.Queue(new Work<object?>(null, _ =>
            {
                Volatile.Write(ref holds, true);
                line.WakeUp();
            }));
            await line.WaitEventAsync(() => Volatile.Read(ref holds), token);
            Past("wait queue");
            var slow = new Work<object?>(null, static _ => Worker.Sleep(TimeSpan.FromMilliseconds(1)));
            aside.Queue(slow);
            await slow.FlushAsync();
            Past("flush of an item");
            aside.Queue(slow);
            await aside.FlushAsync();
            Past("flush of a queue");
            aside.Queue(slow);
            await slow.CancelSyncAsync();
            Past("cancel-sync");
            aside.Queue(slow);
            await aside.DrainAsync();
            Past("drain");
            worker.Queue(new KthreadWork<object?>(null, static _ => Worker.Sleep(TimeSpan.FromMilliseconds(1))));
            await worker.FlushAsync();
            Past("flush of a kthread worker");
            await Kthread.Run(static _ => 0, 0, "test", system).StopAsync();
            Past("stop of a kthread");
        });

        ThreadPool.GetMaxThreads(out int before, out int completionThreads);
        ThreadPool.GetMinThreads(out int least, out _);
        int most = Math.Max(least, Environment.ProcessorCount);
        var gate = new Completion();
        var taken = new Completion();
        bool probed = false;
        Assert.True(ThreadPool.SetMaxThreads(most, completionThreads));
        try
        {
            // More than there can be threads: all that are taken stay, and what comes behind has none.
            for (int i = ThreadPool.ThreadCount + most; i >= 0; i--)
            {
                ThreadPool.UnsafeQueueUserWorkItem(
                    _ =>
                    {
                        taken.Complete();
                        gate.Wait();
                    },
                    null);
            }

            Assert.True(taken.Wait(s_patience)); // one at least; this test may itself be on another
            ThreadPool.UnsafeQueueUserWorkItem(_ => Volatile.Write(ref probed, true), null);
            queue.Queue(work);
            new Thread(() =>
            {
                work.Flush();
                over.Set();
            })
            { IsBackground = true }.Start();
            Assert.True(over.Wait(s_patience), $"It goes on no further than {string.Join(", ", steps)}.");
            Assert.False(Volatile.Read(ref probed), "the thread pool was not starved");
        }
        finally
        {
            gate.CompleteAll();
            ThreadPool.SetMaxThreads(before, completionThreads);
        }

        Assert.Equal(9, steps.Count);
        Assert.True(onWorkers);
    }
}
