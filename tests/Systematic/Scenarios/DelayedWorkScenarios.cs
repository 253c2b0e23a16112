namespace Kworker.Systematic;

public sealed class DelayedWorkScenarios
{
    private static readonly TimeSpan s_delay = TimeSpan.FromMilliseconds(5);

    [Fact]
    public void Firing_and_cancel_race_and_one_wins() => Explorer.Explore(scenario =>
    {
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

    [Fact]
    public void Firing_cancel_sync_and_an_item_that_arms_itself() => Explorer.Explore(scenario =>
    {
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

    [Fact]
    public void Modify_firing_flush_and_cancel_sync() => Explorer.Explore(scenario =>
    {
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

    [Fact]
    public void It_never_runs_early() => Explorer.Explore(scenario =>
    {
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

    [Fact]
    public void Two_threads_arm_and_cancel_timers_of_one_base() => Explorer.Explore(scenario => ArmAndCancel(scenario, ownThread: false));

    [Fact]
    public void Two_threads_arm_and_cancel_timers_that_a_thread_of_ours_drives() =>
        Explorer.Explore(scenario => ArmAndCancel(scenario, ownThread: true));

    private static void ArmAndCancel(Scenario scenario, bool ownThread)
    {
        var timers = new TimerBase(scenario.Schedule.Time, ownThread);
        var nodes = Enumerable.Range(0, 4).Select(_ => new Node(scenario.Schedule)).ToArray();
        var one = scenario.Run("one", () =>
        {
            nodes[0].Arm(timers, 300);
            nodes[1].Arm(timers, 7);
            nodes[0].Cancel(timers);
            nodes[0].Arm(timers, 2);
        });
        nodes[2].Arm(timers, 260);
        nodes[3].Arm(timers, 5);
        nodes[3].Cancel(timers);
        nodes[3].Arm(timers, 6);
        one.Join();
        Worker.Sleep(TimeSpan.FromMilliseconds(500));
        foreach (Node node in nodes)
        {
            var spin = new SpinWait();
            while (node.Armings != node.Fired + node.Cancelled)
                Seam.Spin(ref spin);
        }

        timers.Dispose();
        Assert.All(nodes, n => Assert.Equal(n.Armings, n.Fired + n.Cancelled));
    }

    private sealed class Node(Schedule schedule) : TimedItem
    {
        private long _due;

        internal int Armings { get; private set; }

        internal int Fired { get; private set; }

        internal int Cancelled { get; private set; }

        internal void Arm(TimerBase timers, int delay)
        {
            Armings++;
            _due = schedule.Now + delay;
            timers.Arm(this, TimeSpan.FromMilliseconds(delay));
        }

        internal void Cancel(TimerBase timers)
        {
            if (timers.CancelSync(this))
                Cancelled++;
        }

        internal override void Expire()
        {
            Scenario.Step();
            if (schedule.Now < _due)
                schedule.Fail(new ScheduleException($"fired at {schedule.Now}, due {_due}"));
            Fired++;
        }
    }
}
