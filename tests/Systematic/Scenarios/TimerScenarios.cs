namespace Kworker.Systematic;

public sealed class TimerScenarios
{
    /// <summary>Full inboxes, beats and settling come soon.</summary>
    internal static TimerLimits SmallLimits { get; } = new()
    {
        Inbox = 2,
        SettleAfter = 20,
        Long = 8,
        Beat = 2,
        BeatFor = 12,
        BusyArmings = 2,
        BusyTicks = 1000,
    };

    [Theory, InlineData(false), InlineData(true)]
    public void Two_threads_arm_and_cancel_timers_of_one_base(bool ownThread) => Explorer.Explore(scenario =>
    {
        var timers = new TimerBase(scenario.Schedule.Time, ownThread, SmallLimits);
        var nodes = Enumerable.Range(0, 4).Select(_ => new Node(scenario.Schedule)).ToArray();
        var one = scenario.Run("one", () =>
        {
            nodes[0].Arm(timers, 300);
            nodes[1].Arm(timers, 7);
            nodes[0].CancelSync(timers);
            nodes[0].Arm(timers, 2);
        });
        nodes[2].Arm(timers, 260);
        nodes[3].Arm(timers, 5);
        nodes[3].CancelSync(timers);
        nodes[3].Arm(timers, 6);
        one.Join();
        Finish(timers, nodes);
    });

    /// <summary>An arming twice removed looks as the first one did: it must not fire at the first one's time.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void A_firing_timer_is_cancelled_and_armed_anew_and_anew(bool ownThread) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1);
        var timers = new TimerBase(scenario.Schedule.Time, ownThread, SmallLimits);
        var node = new Node(scenario.Schedule);
        node.Arm(timers, 3);
        var spin = new SpinWait();
        while (scenario.Schedule.Now < 3)
            Seam.Spin(ref spin); // awake when it fires
        for (int i = 0; i < 2 && node.Cancel(timers); i++)
            node.Arm(timers, 5 + i);
        Finish(timers, node);
    }, schedules: 3000);

    [Fact]
    public void Long_timers_while_the_base_begins_to_beat_and_stops() => Explorer.Explore(scenario =>
    {
        var timers = new TimerBase(scenario.Schedule.Time, ownThread: true, SmallLimits);
        var nodes = Enumerable.Range(0, 4).Select(_ => new Node(scenario.Schedule)).ToArray();
        void Work(Node first, Node second)
        {
            for (int i = 0; i < 3; i++)
            {
                first.Arm(timers, 9);
                second.Arm(timers, 20 + i);
                if (first.Cancel(timers))
                    first.Arm(timers, 10);
                Worker.Sleep(TimeSpan.FromMilliseconds(3));
                first.CancelSync(timers);
                second.CancelSync(timers);
            }

            first.Arm(timers, 12);
        }

        var one = scenario.Run("one", () => Work(nodes[0], nodes[1]));
        Work(nodes[2], nodes[3]);
        one.Join();
        Finish(timers, nodes);
    }, schedules: 2000);

    /// <summary>A thread that has armed an item is about to put it into its inbox, or has and ends; others cancel it and arm it anew, and rely on that.</summary>
    [Fact]
    public void Who_arms_an_item_that_is_on_its_way_need_not_tell() => Explorer.Explore(scenario =>
    {
        KworkerSystem system = scenario.MakeSystem(processors: 1, SmallLimits);
        var queue = new Workqueue("queue", null, system);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        int[] queued = new int[3];
        int[] cancelled = new int[3];
        void Work(int number)
        {
            for (int i = 0; i < 2; i++)
            {
                if (queue.Queue(work, TimeSpan.FromMilliseconds(20 - (5 * number) - i)))
                    queued[number]++;
                if (work.Cancel())
                    cancelled[number]++;
            }

            if (!queue.Modify(work, TimeSpan.FromMilliseconds(9 + number)))
                queued[number]++;
        }

        var one = scenario.Run("one", () => Work(1));
        var two = scenario.Run("two", () => Work(2));
        Work(0);
        one.Join();
        two.Join();
        WaitUntil(() => !work.IsPending);
        queue.Flush();
        Assert.Equal(queued.Sum() - cancelled.Sum(), probe.Runs);
    }, schedules: 5000);

    [Fact]
    public void A_thread_ends_and_its_timers_fire() => Explorer.Explore(scenario =>
    {
        var timers = new TimerBase(scenario.Schedule.Time, ownThread: true, SmallLimits);
        var nodes = Enumerable.Range(0, 5).Select(_ => new Node(scenario.Schedule)).ToArray();
        var one = scenario.Run("one", () =>
        {
            nodes[0].Arm(timers, 40);
            nodes[1].Arm(timers, 30);
            nodes[2].Arm(timers, 50);
        });
        nodes[3].Arm(timers, 4);
        nodes[4].Arm(timers, 60);
        one.Join();
        nodes[1].Cancel(timers);
        Finish(timers, nodes);
    });

    [Fact]
    public void Waits_with_a_time_of_one_thread_follow_each_other() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 1, SmallLimits);
        var completion = new Completion();
        int got = 0;
        var waiter = scenario.Run("waiter", () =>
        {
            for (int i = 0; i < 3; i++)
            {
                long from = scenario.Schedule.Now;
                if (completion.Wait(TimeSpan.FromMilliseconds(5 * (i + 1))).IsDone)
                    got++;
                else
                    Assert.True(scenario.Schedule.Now >= from + (5 * (i + 1)));
            }
        });
        completion.Complete();
        Worker.Sleep(TimeSpan.FromMilliseconds(4));
        completion.Complete();
        waiter.Join();
        while (completion.TryWait())
            got++;
        Assert.Equal(2, got);
    });

    [Fact]
    public void A_kthread_workers_items_are_modified_and_cancelled_as_they_fire() => Explorer.Explore(scenario =>
    {
        KworkerSystem system = scenario.MakeSystem(processors: 1, SmallLimits);
        var worker = new KthreadWorker("worker", system);
        var probe = new Probe();
        var work = new KthreadDelayedWork<Probe>(probe, Probe.Function);
        int queued = 0, modified = 0, cancelled = 0;
        var one = scenario.Run("modifier", () =>
        {
            for (int i = 0; i < 3; i++)
            {
                if (!worker.Modify(work, TimeSpan.FromMilliseconds(4 + (5 * i))))
                    modified++;
            }
        });
        for (int i = 0; i < 2; i++)
        {
            if (worker.Queue(work, TimeSpan.FromMilliseconds(3)))
                queued++;
            Worker.Sleep(TimeSpan.FromMilliseconds(2));
            if (work.CancelSync())
                cancelled++;
        }

        one.Join();
        work.Flush();
        worker.Dispose();
        Assert.Equal(queued + modified - cancelled, probe.Runs);
    }, schedules: 2000);

    /// <summary>All that was armed and not cancelled fires.</summary>
    private static void Finish(TimerBase timers, params Node[] nodes)
    {
        WaitUntil(() => nodes.All(static node => node.Armings == node.Fired + node.Cancelled));
        timers.Dispose();
    }

    /// <summary>A second is more than all times here; after it only what is on its way can be waited for.</summary>
    private static void WaitUntil(Func<bool> condition)
    {
        Worker.Sleep(TimeSpan.FromSeconds(1));
        var spin = new SpinWait();
        while (!condition())
            Seam.Spin(ref spin);
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

        internal bool Cancel(TimerBase timers)
        {
            if (!timers.Cancel(this))
                return false;
            Cancelled++;
            return true;
        }

        internal void CancelSync(TimerBase timers)
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
