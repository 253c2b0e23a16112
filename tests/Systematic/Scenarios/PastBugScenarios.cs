namespace Kworker.Systematic;

/// <summary>Bugs that a model, a stress or a user found: each as the smallest scenario whose schedules would have found it.</summary>
public sealed class PastBugScenarios
{
    /// <summary>Longer than time goes in a schedule.</summary>
    private static readonly TimeSpan s_long = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Four threads arm and disarm one item. The parities of an arming come back after two: who had seen one landed disarmed the one after the next, which had not; its time
    /// was then written twice in the wrong order, and the thread of the timers waited for ever for the arming to land.
    /// </summary>
    [Fact]
    public void An_arming_was_taken_for_one_that_had_landed() => Explorer.Explore(scenario =>
    {
        KworkerSystem system = scenario.MakeSystem(processors: 1, TimerScenarios.SmallLimits);
        var queue = new Workqueue("queue", null, system);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        int queued = 0, cancelled = 0;
        queue.Queue(work, s_long);
        queued++;
        void CancelAndArm(int times)
        {
            for (int i = 0; i < times; i++)
            {
                if (work.Cancel())
                    cancelled++;
                if (queue.Queue(work, TimeSpan.FromMilliseconds(5 + i)))
                    queued++;
            }
        }

        var one = scenario.Run("cancels and arms", () => CancelAndArm(2));
        var two = scenario.Run("arms and cancels", () => CancelAndArm(1));
        var three = scenario.Run("cancels", () =>
        {
            if (work.Cancel())
                cancelled++;
        });
        one.Join();
        two.Join();
        three.Join();
        if (work.CancelSync())
            cancelled++;
        queue.Flush();
        Assert.Equal(queued - cancelled, probe.Runs);
    }, schedules: 5000);

    /// <summary>
    /// A flush had learned to wait for who was about to arm the item, and expedited it whenever it found it armed: also what was armed after the flush had expedited
    /// what it was called for, which then ran before its time.
    /// </summary>
    [Fact]
    public void A_flush_expedited_a_delayed_item_twice() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        var armed = new Completion();
        probe.Inside = () =>
        {
            if (probe.Runs < 4)
                queue.Queue(work, TimeSpan.Zero); // about to queue it, for a moment: that is what the flush waits for
            if (probe.Runs != 4)
                return;
            queue.Queue(work, s_long);
            armed.Complete();
        };
        queue.Queue(work, s_long);
        work.Flush();
        armed.Wait();
        queue.Flush();
        Assert.Equal(4, probe.Runs);
        Assert.True(work.CancelSync());
    }, schedules: 3000);

    /// <summary>
    /// Nobody counts the running workers of an unbound pool: whoever added an item, and every thread that had just been made, saw an item in the list and made one
    /// thread more, up to the limit, until the first of them came to take it.
    /// </summary>
    [Fact]
    public void An_unbound_pool_made_threads_until_the_first_of_them_came() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { Unbound = true }, scenario.System);
        Probe[] probes = [new(), new(), new()];
        var other = scenario.Run("other", () => queue.Queue(new Work<Probe>(probes[0], Probe.Function)));
        queue.Queue(new Work<Probe>(probes[1], Probe.Function));
        queue.Queue(new Work<Probe>(probes[2], Probe.Function));
        other.Join();
        queue.Flush();
        Assert.All(probes, static probe => Assert.Equal(1, probe.Runs));
        Assert.InRange(scenario.Schedule.ThreadsStarted, 1, probes.Length);
    });

    /// <summary>
    /// A thread that had looked whether it should stop was asked to, and then, by another, to park: it parked, and who stopped it waited for ever. Found by the model of
    /// several callers.
    /// </summary>
    [Fact]
    public void A_thread_that_was_being_stopped_could_be_parked() => Explorer.Explore(scenario =>
    {
        Kthread kthread = Kthread.Run(
            static _ =>
            {
                while (!Kthread.ShouldStop)
                {
                    Kthread.ParkMe();
                    var spin = new SpinWait();
                    Seam.Spin(ref spin);
                }

                return 3;
            }, 0, "kthread", scenario.System);
        var other = scenario.Run("parker", () => Assert.True(kthread.Park() is 0 or -Errno.ENOSYS));
        Assert.True(kthread.Stop() is 3 or -Errno.EINTR);
        other.Join();
    }, schedules: 5000);

    /// <summary>While a thread was being made, which may take long where processors are scarce, workers that idled did not come for an item.</summary>
    [Fact]
    public void Idle_workers_waited_for_one_that_was_being_made() => Explorer.Explore(scenario =>
    {
        int made = 0, isMaking = 0, isInside = 0;
        var last = new Probe();
        static void Until(Func<bool> condition)
        {
            var spin = new SpinWait();
            while (!condition())
                Seam.Spin(ref spin);
        }

        scenario.MakeSystem(processors: 2, beforeThread: _ =>
        {
            if (++made != 2)
                return;
            Seam.Write(ref isMaking, 1);
            Until(() => last.Runs == 1); // so long it takes
        });
        var queue = new Workqueue("queue", null, scenario.System);
        queue.Queue(new Work<object?>(null, _ =>
        {
            Seam.Write(ref isInside, 1);
            Until(() => Seam.Read(in isMaking) != 0);
        }));
        Until(() => Seam.Read(in isInside) != 0);
        var between = new Probe();
        var other = scenario.Run("makes a thread", () => queue.Queue(new Work<Probe>(between, Probe.Function)));
        Until(() => between.Runs == 1);
        queue.Queue(new Work<Probe>(last, Probe.Function));
        Until(() => last.Runs == 1);
        other.Join();
    }, schedules: 500);

    /// <summary>
    /// Three items that a function had queued behind itself left its worker's stage, since there was no place for them, in the wrong order: each before it stood in line settled
    /// the stage, which brought the next. The second was overtaken by the third, which waits for it. Found by a test of NFS replies that never came.
    /// </summary>
    [Fact]
    public void Items_without_a_place_were_overtaken_by_those_chained_behind_them() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = 2 }, scenario.System);
        var gate = new Completion();
        Probe first = new() { Inside = () => gate.Wait() }, opens = new() { Inside = gate.CompleteAll }, last = new() { Inside = () => gate.Wait() }, behind = new();
        Work<Probe>[] items = [.. new[] { first, opens, last, behind }.Select(static probe => new Work<Probe>(probe, Probe.Function))];
        var head = new Probe
        {
            Inside = () =>
            {
                foreach (Work<Probe> item in items)
                    queue.Queue(item);
            },
        };
        queue.Queue(new Work<Probe>(head, Probe.Function));
        queue.Drain();
        Assert.Equal((1, 1, 1, 1), (first.Runs, opens.Runs, last.Runs, behind.Runs));
    }, schedules: 2000);
}
