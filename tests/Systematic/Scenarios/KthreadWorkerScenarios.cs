namespace Kworker.Systematic;

public sealed class KthreadWorkerScenarios
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(5);

    [Fact]
    public void Every_item_runs_and_flush_waits_for_it() => Explorer.Explore(scenario =>
    {
        using var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadWork<Probe>(probe, Probe.Function);
        int queued = 0;
        var other = scenario.RunAsync("other", async () =>
        {
            if (worker.Queue(work))
                queued++;
            await work.FlushAsync();
            Assert.True(probe.Runs > 0);
        });
        if (worker.Queue(work))
            queued++;
        worker.Flush();
        Assert.True(probe.Runs > 0);
        other.Join();
        worker.Flush();
        Assert.Equal(queued, probe.Runs);
    });

    [Fact]
    public void After_cancel_sync_an_item_that_queues_itself_is_at_rest() => Explorer.Explore(scenario =>
    {
        using var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        int times = 0;
        probe.Inside = () =>
        {
            if (++times < 4)
                worker.Queue(work, TimeSpan.FromMilliseconds(times % 2));
        };
        worker.Queue(work, s_delay);
        if (scenario.Schedule.Steps % 2 == 0)
            Worker.Sleep(s_delay);
        var other = scenario.RunAsync("other canceller", async () => await work.CancelSyncAsync());
        work.CancelSync();
        int runs = probe.Runs;
        other.Join();
        Worker.Sleep(TimeSpan.FromMilliseconds(20));
        worker.Flush();
        Assert.Equal(runs, probe.Runs);
    });

    [Fact]
    public void Flush_of_an_item_whose_time_runs_out_runs_it() => Explorer.Explore(scenario =>
    {
        using var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        worker.Queue(work, s_delay);
        work.Flush();
        Assert.Equal(1, probe.Runs);
    });

    [Fact]
    public void Flush_refuses_nobody() => Explorer.Explore(scenario =>
    {
        using var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        var other = scenario.Run("flusher", () => work.Flush());
        Assert.True(worker.Queue(work));
        other.Join();
        worker.Flush();
        Assert.Equal(1, probe.Runs);
    });

    [Fact]
    public void Modify_firing_and_cancel_account_for_every_run() => Explorer.Explore(scenario =>
    {
        using var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        int queued = 0, cancelled = 0;
        var one = scenario.Run("modifier", () =>
        {
            if (!worker.Modify(work, s_delay))
                queued++;
            if (!worker.Modify(work, TimeSpan.FromMilliseconds(1)))
                queued++;
        });
        var two = scenario.Run("queuer", () =>
        {
            if (worker.Queue(work, s_delay))
                queued++;
        });
        if (work.CancelSync())
            cancelled++;
        one.Join();
        two.Join();
        work.Flush();
        worker.Flush();
        Assert.Equal(queued - cancelled, probe.Runs);
    }, schedules: 3000);

    [Fact]
    public void An_item_belongs_to_the_first_worker_that_takes_it() => Explorer.Explore(scenario =>
    {
        using var a = new KthreadWorker("a", scenario.System);
        using var b = new KthreadWorker("b", scenario.System);
        var probe = new Probe();
        var work = new KthreadWork<Probe>(probe, Probe.Function);
        int queued = 0;
        void Queue(KthreadWorker worker)
        {
            try
            {
                if (worker.Queue(work))
                    queued++;
            }
            catch (InvalidOperationException)
            {
            }
        }

        var other = scenario.Run("other", () => Queue(a));
        Queue(b);
        other.Join();
        a.Flush();
        b.Flush();
        Assert.Equal(1, queued);
        Assert.Equal(1, probe.Runs);
    }, schedules: 500);

    [Fact]
    public void Dispose_and_flush_race_and_both_end() => Explorer.Explore(scenario =>
    {
        var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadWork<Probe>(probe, Probe.Function);
        worker.Queue(work);
        var other = scenario.RunAsync("flusher", async () => await worker.FlushAsync());
        worker.Dispose();
        Assert.Equal(1, probe.Runs);
        other.Join();
        worker.Flush();
        work.Flush();
        Assert.Throws<ObjectDisposedException>(() => worker.Queue(work));
    }, schedules: 500);

    [Fact]
    public void A_delayed_item_that_comes_due_after_dispose_is_not_pending_for_ever() => Explorer.Explore(scenario =>
    {
        scenario.LogsMayCome = true;
        var worker = new KthreadWorker("worker", scenario.System);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        worker.Queue(work, s_delay);
        worker.Dispose();
        work.Flush();
        work.CancelSync();
        Worker.Sleep(TimeSpan.FromMilliseconds(20));
        Assert.False(work.IsPending);
    }, schedules: 500);
}
