namespace Kworker.Systematic;

public sealed class DeadlockScenarios
{
    [Fact]
    public void Of_two_items_that_flush_each_other_one_is_told_and_both_end() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { Unbound = true }, scenario.System);
        int reports = 0, ends = 0, entered = 0;
        var both = new Completion();
        Work<int>[] items = new Work<int>[2];
        for (int i = 0; i < 2; i++)
        {
            items[i] = new Work<int>(i, i =>
            {
                if (++entered == 2)
                    both.CompleteAll();
                both.Wait();
                try
                {
                    items[1 - i].Flush();
                }
                catch (DeadlockException report)
                {
                    Assert.Equal(2, report.Cycle.Count);
                    reports++;
                }

                ends++;
            });
        }

        queue.Queue(items[0]);
        queue.Queue(items[1]);
        queue.Flush();
        Assert.Equal(2, ends);
        Assert.Equal(1, reports);
    });

    [Fact]
    public void A_flush_and_a_cancel_of_each_other_over_a_kthread_worker() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var worker = new KthreadWorker("worker", scenario.System);
        int reports = 0, ends = 0, entered = 0;
        var both = new Completion();
        KthreadWork<int>? second = null;
        void Enter()
        {
            if (++entered == 2)
                both.CompleteAll();
            both.Wait();
        }

        void Try(Action wait)
        {
            try
            {
                wait();
            }
            catch (DeadlockException)
            {
                reports++;
            }

            ends++;
        }

        var first = new Work<int>(0, _ =>
        {
            Enter();
            Try(() => second!.CancelSync());
        });
        second = new KthreadWork<int>(0, _ =>
        {
            Enter();
            Try(() => first.Flush());
        });
        queue.Queue(first);
        worker.Queue(second);
        queue.Flush();
        worker.Flush();
        Assert.Equal(2, ends);
        Assert.Equal(1, reports);
        worker.Dispose();
    });

    [Fact]
    public void A_wait_that_is_over_is_no_link() => Explorer.Explore(scenario =>
    {
        // The first waits for a run of the second; that one's next run waits for the first. No cycle, however close the two come.
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { Unbound = true }, scenario.System);
        int runs = 0;
        Work<int>? first = null;
        var second = new Work<int>(0, _ =>
        {
            if (++runs > 1)
            {
                first!.Flush();
                return;
            }

            var spin = new SpinWait();
            while (!Waits(scenario.System, first!))
                Seam.Spin(ref spin);
        });
        first = new Work<int>(0, _ => second.Flush());
        queue.Queue(second);
        queue.Queue(first);
        var other = scenario.Run("other", () =>
        {
            second.Flush();
            queue.Queue(second);
        });
        other.Join();
        queue.Flush();
        Assert.Equal(2, runs);
    });

    private static bool Waits(KworkerSystem system, Work work)
    {
        system.RunLock.Enter();
        WorkRun? run = work.FindRun();
        system.RunLock.Exit();
        return run is not null && WaitGraph.Waits(run);
    }
}
