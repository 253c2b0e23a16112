namespace Kworker.Systematic;

public sealed class WorkScenarios
{
    [Fact]
    public void An_item_runs_as_often_as_it_was_queued() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        int queued = 0;
        var other = scenario.Run("other", () =>
        {
            for (int i = 0; i < 2; i++)
                if (queue.Queue(work))
                    queued++;
        });
        for (int i = 0; i < 2; i++)
            if (queue.Queue(work))
                queued++;
        other.Join();
        work.Flush();
        Assert.Equal(queued, probe.Runs);
        Assert.Equal(WorkBusy.None, work.Busy);
    });

    [Fact]
    public void Each_run_has_the_context_of_the_call_that_queued_it() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { FlowExecutionContext = true }, scenario.System);
        var caller = new AsyncLocal<string?>();
        var queued = new List<string?>();
        var seen = new List<string?>();
        var probe = new Probe { Inside = () => seen.Add(caller.Value) };
        var work = new Work<Probe>(probe, Probe.Function);
        var other = scenario.Run("other", () => QueueTwice("other"));
        QueueTwice("body");
        other.Join();
        work.Flush();
        Assert.Equal(queued.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal));

        void QueueTwice(string name)
        {
            for (int i = 0; i < 2; i++)
            {
                string call = caller.Value = $"{name} {i}";
                if (queue.Queue(work))
                    queued.Add(call);
            }

            caller.Value = null; // the thread may serve the next schedule
        }
    });

    [Fact]
    public void An_item_on_two_queues_of_two_pools_never_runs_twice_at_once() => Explorer.Explore(scenario =>
    {
        var normal = new Workqueue("normal", null, scenario.System);
        var unbound = new Workqueue("unbound", new WorkqueueOptions { Unbound = true }, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        int queued = 0;
        var other = scenario.Run("other", () =>
        {
            for (int i = 0; i < 2; i++)
                if (normal.Queue(work))
                    queued++;
        });
        for (int i = 0; i < 2; i++)
            if (unbound.Queue(work))
                queued++;
        other.Join();
        normal.Flush();
        unbound.Flush();
        Assert.Equal(queued, probe.Runs);
    });

    [Fact]
    public void What_waits_behind_an_item_that_runs_elsewhere_is_not_forgotten() => Explorer.Explore(scenario =>
    {
        var normal = new Workqueue("normal", null, scenario.System);
        Workqueue ordered = Workqueue.Ordered("ordered", scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        var behind = new Probe();
        normal.Queue(work);
        ordered.Queue(work);
        ordered.Queue(new Work<Probe>(behind, Probe.Function));
        ordered.Flush();
        Assert.Equal(1, behind.Runs);
    }, schedules: 2000);

    [Fact]
    public void Queue_and_cancel_account_for_every_run() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = 1 }, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        int queued = 0, cancelled = 0;
        queue.Queue(new Work<Probe>(new Probe(), Probe.Function));
        var one = scenario.Run("queuer", () =>
        {
            for (int i = 0; i < 2; i++)
                if (queue.Queue(work))
                    queued++;
        });
        var two = scenario.Run("canceller", () =>
        {
            if (work.Cancel())
                cancelled++;
        });
        if (queue.Queue(work))
            queued++;
        one.Join();
        two.Join();
        queue.Flush();
        Assert.Equal(queued - cancelled, probe.Runs);
    });

    [Fact]
    public void Cancel_of_an_idle_item_refuses_nobody() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var began = new Completion();
        var probe = new Probe { Inside = began.Complete };
        var work = new Work<Probe>(probe, Probe.Function);
        var canceller = scenario.Run("canceller", () => work.Cancel());
        if (!queue.Queue(work) || !began.Wait(TimeSpan.FromSeconds(1)))
        {
            canceller.Join();
            return; // cancelled before it began
        }

        Assert.True(queue.Queue(work), "it runs, so it was not pending");
        canceller.Join();
    }, schedules: 5000);

    [Fact]
    public void After_cancel_sync_an_item_that_queues_itself_is_at_rest() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        int times = 0;
        probe.Inside = () =>
        {
            if (++times < 4)
                queue.Queue(work);
        };
        queue.Queue(work);
        work.CancelSync();
        int runs = probe.Runs;
        Assert.Equal(WorkBusy.None, work.Busy);
        queue.Flush();
        Assert.Equal(runs, probe.Runs);
        Assert.True(queue.Queue(work));
    });

    [Fact]
    public void Two_cancel_syncs_and_a_queuer() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        int queued = 0, cancelled = 0;
        var one = scenario.Run("canceller", () =>
        {
            if (work.CancelSync())
                cancelled++;
        });
        var two = scenario.RunAsync("async canceller", async () =>
        {
            if (await work.CancelSyncAsync())
                cancelled++;
        });
        for (int i = 0; i < 2; i++)
            if (queue.Queue(work))
                queued++;
        one.Join();
        two.Join();
        queue.Flush();
        Assert.Equal(queued - cancelled, probe.Runs);
        Assert.Equal(WorkBusy.None, work.Busy);
    });

    [Fact]
    public void Two_cancel_syncs_of_an_item_that_was_never_queued() => Explorer.Explore(scenario =>
    {
        var work = new Work<Probe>(new Probe(), Probe.Function);
        var one = scenario.Run("canceller", () => Assert.False(work.CancelSync()));
        var two = scenario.RunAsync("async canceller", async () => Assert.False(await work.CancelSyncAsync()));
        one.Join();
        two.Join();
        Assert.Equal(WorkBusy.None, work.Busy);
    }, schedules: 300);

    [Fact]
    public void Flush_waits_for_the_last_run_queued_before() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        var other = scenario.RunAsync("other", async () =>
        {
            if (queue.Queue(work))
                await work.FlushAsync();
        });
        queue.Queue(work);
        work.Flush();
        int runs = probe.Runs;
        Assert.InRange(runs, 1, 2);
        other.Join();
    });

    [Fact]
    public void A_flush_ends_although_the_item_is_cancelled() => Explorer.Explore(scenario =>
    {
        // As in the kernel it ends, at the latest, when what the item waited behind has ended.
        Workqueue queue = Workqueue.Ordered("queue", scenario.System);
        var behind = new Work<Probe>(new Probe(), Probe.Function);
        var gate = new Completion();
        queue.Queue(new Work<Probe>(new Probe { Inside = () => gate.Wait() }, Probe.Function));
        queue.Queue(behind);
        var one = scenario.Run("flusher", () => behind.Flush());
        behind.Cancel();
        gate.Complete();
        one.Join();
    });

    [Fact]
    public void What_takes_the_place_of_an_item_cancelled_elsewhere_is_not_forgotten() => Explorer.Explore(scenario =>
    {
        // The item waits behind its own run on a worker of another pool, so no worker of the ordered queue's pool is on its way.
        var normal = new Workqueue("normal", null, scenario.System);
        Workqueue ordered = Workqueue.Ordered("ordered", scenario.System);
        var gate = new Completion();
        var began = new Completion();
        var work = new Work<Probe>(
            new Probe
            {
                Inside = () =>
                {
                    began.Complete();
                    gate.Wait();
                },
            }, Probe.Function);
        var behind = new Probe();
        normal.Queue(work);
        began.Wait();
        ordered.Queue(work);
        ordered.Queue(new Work<Probe>(behind, Probe.Function));
        ordered.Queue(new Work<Completion>(gate, static g => g.CompleteAll()));
        work.Cancel();
        ordered.Flush();
        Assert.Equal(1, behind.Runs);
    });

    [Fact]
    public void An_ordered_queue_keeps_the_order() => Explorer.Explore(scenario =>
    {
        Workqueue queue = Workqueue.Ordered("queue", scenario.System);
        var order = new List<int>();
        for (int i = 0; i < 4; i++)
        {
            queue.Queue(new Work<int>(i, n =>
            {
                Scenario.Step();
                order.Add(n);
            }));
        }

        queue.Flush();
        Assert.Equal(Enumerable.Range(0, 4), order);
    }, schedules: 500);

    [Fact]
    public void An_item_that_throws_is_reported_and_the_rest_runs() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = 1 }, scenario.System);
        int reported = 0;
        queue.UnhandledException += (_, _) => reported++;
        var probe = new Probe();
        queue.Queue(new Work<object?>(null, _ => throw new InvalidDataException()));
        queue.Queue(new Work<Probe>(probe, Probe.Function));
        queue.Flush();
        Assert.Equal((1, 1), (reported, probe.Runs));
    }, schedules: 300);
}
