namespace Kworker.Systematic;

/// <summary>Each with timers that the clock's own timer drives, and with a thread of their own and inboxes.</summary>
public sealed class DelayedWorkScenarios
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(5);

    [Theory, InlineData(false), InlineData(true)]
    public void Firing_and_cancel_race_and_one_wins(bool ownThread) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1, ownThread ? TimerScenarios.SmallLimits : null);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        queue.Queue(work, s_delay);
        bool cancelled = work.Cancel();
        queue.Flush();
        Worker.Sleep(TimeSpan.FromMilliseconds(20));
        queue.Flush();
        Assert.Equal(cancelled ? 0 : 1, probe.Runs);
    });

    [Theory, InlineData(false), InlineData(true)]
    public void Firing_cancel_sync_and_an_item_that_arms_itself(bool ownThread) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1, ownThread ? TimerScenarios.SmallLimits : null);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        int times = 0;
        probe.Inside = () =>
        {
            if (++times < 5)
                queue.Queue(work, s_delay);
        };
        queue.Queue(work, s_delay);
        Worker.Sleep(TimeSpan.FromMilliseconds(7));
        work.CancelSync();
        int runs = probe.Runs;
        Assert.Equal(WorkBusy.None, work.Busy);
        Worker.Sleep(TimeSpan.FromMilliseconds(50));
        queue.Flush();
        Assert.Equal(runs, probe.Runs);
    });

    [Theory, InlineData(false), InlineData(true)]
    public void Modify_firing_flush_and_cancel_sync(bool ownThread) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1, ownThread ? TimerScenarios.SmallLimits : null);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        int queued = 0, cancelled = 0;
        var one = scenario.Run("modifier", () =>
        {
            if (!queue.Modify(work, s_delay))
                queued++;
            if (!queue.Modify(work, TimeSpan.Zero))
                queued++;
        });
        var two = scenario.RunAsync("flusher", async () => await work.FlushAsync());
        var three = scenario.Run("queuer", () =>
        {
            if (queue.Queue(work, s_delay))
                queued++;
        });
        if (work.CancelSync())
            cancelled++;
        one.Join();
        two.Join();
        three.Join();
        work.Flush();
        queue.Flush();
        Assert.Equal(queued - cancelled, probe.Runs);
        Assert.Equal(WorkBusy.None, work.Busy);
    }, schedules: 3000);

    [Theory, InlineData(false), InlineData(true)]
    public void It_never_runs_early(bool ownThread) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1, ownThread ? TimerScenarios.SmallLimits : null);
        var queue = new Workqueue("queue", null, scenario.System);
        long notBefore = 0;
        var probe = new Probe();
        probe.Inside = () => Assert.True(scenario.Schedule.Now >= notBefore);
        queue.UnhandledException += (_, e) => scenario.Schedule.Fail(e.Exception);
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        notBefore = scenario.Schedule.Now + 5;
        queue.Queue(work, s_delay);
        Scenario.Step();
        work.CancelSync();
        notBefore = scenario.Schedule.Now + 3;
        queue.Modify(work, TimeSpan.FromMilliseconds(3));
        Worker.Sleep(TimeSpan.FromMilliseconds(1));
        Worker.Sleep(TimeSpan.FromMilliseconds(9));
        queue.Flush();
        work.Flush();
    }, schedules: 500);
}
