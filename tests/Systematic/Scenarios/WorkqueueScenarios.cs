namespace Kworker.Systematic;

public sealed class WorkqueueScenarios
{
    [Fact]
    public void Flush_waits_for_all_that_was_queued_before() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = 2 }, scenario.System);
        var probes = Enumerable.Range(0, 3).Select(_ => new Probe()).ToArray();
        foreach (Probe probe in probes)
            queue.Queue(new Work<Probe>(probe, Probe.Function));
        var other = scenario.RunDetached("other", async () =>
        {
            await queue.FlushAsync();
            Assert.All(probes, p => Assert.Equal(1, p.Runs));
        });
        queue.Queue(new Work<Probe>(new Probe(), Probe.Function));
        queue.Flush();
        Assert.All(probes, p => Assert.Equal(1, p.Runs));
        other.Join();
    });

    [Fact]
    public void Drain_waits_for_chained_items_and_refuses_others() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        int left = 3;
        Probe chain = new();
        Work<Probe> work = new(chain, Probe.Function);
        chain.Inside = () =>
        {
            if (--left > 0)
                Assert.True(queue.Queue(work));
        };
        queue.Queue(work);
        var outside = new Probe();
        bool refused = false;
        var other = scenario.Run("outsider", () =>
        {
            try
            {
                queue.Queue(new Work<Probe>(outside, Probe.Function));
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }
        });
        queue.Drain();
        Assert.Equal(3, chain.Runs);
        other.Join();
        queue.Flush();
        Assert.Equal(refused ? 0 : 1, outside.Runs);
    });

    [Fact]
    public void An_item_that_comes_as_a_drain_begins_or_ends_is_refused_or_runs() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new Work<Probe>(probe, Probe.Function);
        bool refused = false;
        var other = scenario.Run("queuer", () =>
        {
            try
            {
                Assert.True(queue.Queue(work));
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }
        });
        queue.Drain();
        other.Join();
        work.Flush();
        Assert.Equal(refused ? 0 : 1, probe.Runs);
        Assert.False(work.IsPending);
    }, schedules: 2000);

    [Fact]
    public void Two_drains_at_once() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        queue.Queue(new Work<Probe>(probe, Probe.Function));
        var other = scenario.RunAsync("other", async () => await queue.DrainAsync());
        queue.Drain();
        Assert.Equal(1, probe.Runs);
        other.Join();
        Assert.True(queue.Queue(new Work<Probe>(new Probe(), Probe.Function)));
    }, schedules: 500);

    [Fact]
    public void After_dispose_nothing_runs_and_nothing_is_taken() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        bool refused = false;
        var other = scenario.Run("queuer", () =>
        {
            try
            {
                queue.Queue(new Work<Probe>(probe, Probe.Function));
            }
            catch (Exception e) when (e is ObjectDisposedException or InvalidOperationException)
            {
                refused = true;
            }
        });
        queue.Dispose();
        int runs = probe.Runs;
        other.Join();
        for (int i = 0; i < 20; i++)
            Scenario.Step();
        Assert.Equal(runs, probe.Runs);
        Assert.Equal(refused ? 0 : 1, probe.Runs);
    }, schedules: 2000);

    [Fact]
    public void A_delayed_item_that_comes_due_after_dispose_is_reported() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        int reported = 0;
        queue.UnhandledException += (_, _) => reported++;
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        queue.Queue(work, TimeSpan.FromMilliseconds(5));
        queue.Dispose();
        bool cancelled = work.CancelSync();
        Assert.Equal(1, reported + probe.Runs + (cancelled ? 1 : 0));
        Assert.Throws<ObjectDisposedException>(() => queue.Queue(work, TimeSpan.FromMilliseconds(5)));
        Assert.Throws<ObjectDisposedException>(() => queue.Queue(work));
        Assert.Equal(WorkBusy.None, work.Busy);
    }, schedules: 500);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_item_waits_while_the_workers_idle_or_sleep(int processors) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors);
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        for (int i = 0; i < 2; i++)
            queue.Queue(new Work<Completion>(gate, static g => g.Wait()));
        var other = scenario.Run("other", () => queue.Queue(new Work<Completion>(gate, static g => g.CompleteAll())));
        queue.Flush();
        other.Join();
        queue.Flush();
        Assert.True(gate.IsDone);
    });

    [Fact]
    public void Blocking_scopes_hand_the_place_on() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        int open = 0;
        queue.Queue(new Work<object?>(null, _ =>
        {
            using (Worker.Blocking())
            using (Worker.Blocking())
            {
                var spin = new SpinWait();
                while (Seam.Read(in open) == 0)
                    Seam.Spin(ref spin);
            }
        }));
        queue.Queue(new Work<object?>(null, _ => Seam.Write(ref open, 1)));
        queue.Flush();
    }, schedules: 500);

    [Fact]
    public void A_blocking_scope_that_was_forgotten_costs_the_pool_nothing() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        queue.UnhandledException += (_, _) => { };
        for (int i = 0; i < 2; i++)
            queue.Queue(new Work<object?>(null, static _ => Worker.Blocking()));
        queue.Flush();
        scenario.Schedule.AtEnd(() => Assert.Contains("0 running", scenario.System.Normal.ToString(), StringComparison.Ordinal));
    }, schedules: 100);

    [Fact]
    public void Items_that_sleep_in_turn_leave_the_count_right() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var ping = new Completion();
        var pong = new Completion();
        queue.Queue(new Work<object?>(null, _ =>
        {
            for (int i = 0; i < 2; i++)
            {
                ping.Complete();
                pong.Wait();
            }
        }));
        queue.Queue(new Work<object?>(null, _ =>
        {
            for (int i = 0; i < 2; i++)
            {
                ping.Wait();
                pong.Complete();
            }
        }));
        queue.Flush();
        scenario.Schedule.AtEnd(() => Assert.Contains("0 running", scenario.System.Normal.ToString(), StringComparison.Ordinal));
    });

    [Fact]
    public void Without_a_thread_to_be_had_items_wait_and_then_run() => Explorer.Explore(scenario =>
    {
        scenario.LogsMayCome = true;
        scenario.Schedule.ThreadsRefused = 2;
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        queue.Queue(new Work<Probe>(probe, Probe.Function));
        queue.Flush();
        Assert.Equal(1, probe.Runs);
    }, schedules: 300);

    [Fact]
    public void Workers_that_idle_for_long_end_and_no_item_is_lost() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 4);
        var queue = new Workqueue("queue", new WorkqueueOptions { Unbound = true }, scenario.System);
        var entered = new Completion();
        var gate = new Completion();
        for (int i = 0; i < 4; i++)
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                entered.Complete();
                gate.Wait();
            }));
        }

        for (int i = 0; i < 4; i++)
            entered.Wait();
        Assert.InRange(scenario.System.Unbound.LockAndCount().Workers, 4, 5); // one may have come in vain
        gate.CompleteAll();
        queue.Flush();
        Probe[] probes = [new(), new(), new()]; // one may still run when the next comes: a thread may be slow
        foreach (Probe probe in probes)
        {
            Worker.Sleep(TimeSpan.FromSeconds(20));
            queue.Queue(new Work<Probe>(probe, Probe.Function));
        }

        queue.Flush();
        Assert.All(probes, static probe => Assert.Equal(1, probe.Runs));
        // Two stay. If more do for ever, time comes to its end.
        while (scenario.System.Unbound.LockAndCount().Workers > 2)
            Worker.Sleep(TimeSpan.FromSeconds(40));
    }, schedules: 300, horizon: 3000);

    [Fact]
    public void Shutdown_while_continuations_run_leaves_no_thread() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var completion = new Completion();
        var threads = Enumerable.Range(0, 3).Select(i => scenario.RunDetached($"detached {i}", async () =>
        {
            await completion.WaitAsync();
            Scenario.Step();
        })).ToArray();
        completion.CompleteAll();
        scenario.System.Dispose();
    });
}
