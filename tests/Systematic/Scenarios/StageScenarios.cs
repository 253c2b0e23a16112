namespace Kworker.Systematic;

/// <summary>What workers take ahead, against those who want it back, wait behind it, or count on its end.</summary>
public sealed class StageScenarios
{
    private static Work<Probe> Item(Probe probe) => new(probe, Probe.Function);

    [Fact]
    public void Cancel_takes_back_what_has_been_taken_ahead() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        Probe[] probes = [new(), new(), new(), new()];
        Work<Probe>[] works = [.. probes.Select(Item)];
        foreach (Work<Probe> work in works)
            queue.Queue(work);
        bool cancelled = works[2].Cancel();
        bool cancelledSync = works[3].CancelSync();
        int runs = probes[3].Runs;
        queue.Flush();
        Assert.Equal(1, probes[0].Runs);
        Assert.Equal(1, probes[1].Runs);
        Assert.Equal(cancelled ? 0 : 1, probes[2].Runs);
        Assert.Equal(cancelledSync ? 0 : 1, probes[3].Runs);
        Assert.Equal(runs, probes[3].Runs);
    });

    [Fact]
    public void Taken_back_and_queued_anew_it_runs_once_for_each() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Probe first = new(), second = new();
        Work<Probe> one = Item(first), two = Item(second);
        queue.Queue(one);
        queue.Queue(two);
        int expected = 1;
        for (int i = 0; i < 2; i++)
        {
            if (two.Cancel())
                expected--;
            if (queue.Queue(two))
                expected++;
        }

        queue.Flush();
        Assert.Equal(1, first.Runs);
        Assert.Equal(expected, second.Runs);
    });

    [Fact]
    public void A_flush_of_one_taken_ahead_ends_behind_it() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Probe[] probes = [new(), new(), new()];
        Work<Probe>[] works = [.. probes.Select(Item)];
        foreach (Work<Probe> work in works)
            queue.Queue(work);
        var other = scenario.Run("flusher", () =>
        {
            works[1].Flush();
            Assert.Equal(1, probes[1].Runs);
        });
        works[2].Flush();
        Assert.Equal(1, probes[2].Runs);
        other.Join();
        queue.Flush();
        Assert.Equal(1, probes[0].Runs);
    });

    [Fact]
    public void One_that_blocks_gives_back_what_stands_behind_it() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        queue.Queue(Item(new Probe { Inside = () => gate.Wait() }));
        queue.Queue(Item(new Probe { Inside = () => gate.Wait() }));
        queue.Queue(Item(new Probe { Inside = gate.CompleteAll }));
        queue.Flush();
    });

    [Fact]
    public void One_that_queues_itself_while_others_stand_behind_it() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Probe self = new(), behind = new();
        Work<Probe> work = Item(self);
        int left = 3;
        self.Inside = () =>
        {
            if (--left > 0)
                queue.Queue(work);
        };
        queue.Queue(work);
        queue.Queue(Item(behind));
        work.Flush();
        queue.Drain();
        Assert.Equal(3, self.Runs);
        Assert.Equal(1, behind.Runs);
    });

    [Fact]
    public void A_place_among_the_active_comes_free_at_the_end_of_each_run() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = 1 }, scenario.System);
        var others = new Workqueue("others", null, scenario.System);
        var gate = new Completion();
        Probe limited = new();
        queue.Queue(Item(new Probe()));
        // The worker that ran the first may still be at this one when the second needs the place.
        others.Queue(Item(new Probe { Inside = () => gate.Wait() }));
        queue.Queue(Item(limited));
        queue.Flush();
        Assert.Equal(1, limited.Runs);
        gate.Complete();
        others.Flush();
    });

    [Fact]
    public void A_push_and_a_dispose_agree_whether_it_was_in_time() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        Work<Probe> work = Item(probe);
        bool? accepted = null;
        var other = scenario.Run("pusher", () =>
        {
            try
            {
                accepted = queue.Queue(work);
            }
            catch (InvalidOperationException) // or disposed of
            {
                accepted = false;
            }
        });
        queue.Dispose();
        int runs = probe.Runs;
        other.Join();
        Assert.Equal(accepted!.Value ? 1 : 0, runs);
        Assert.Equal(runs, probe.Runs);
        Assert.Equal(WorkBusy.None, work.Busy);
    });

    [Fact]
    public void Disabling_against_a_queuer_and_a_worker() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        Work<Probe> work = Item(probe);
        int queued = 0;
        var other = scenario.Run("queuer", () =>
        {
            for (int i = 0; i < 2; i++)
                queued += queue.Queue(work) ? 1 : 0;
        });
        int taken = work.DisableSync() ? 1 : 0;
        int runs = probe.Runs;
        Assert.Equal(WorkBusy.None, work.Busy);
        Assert.False(queue.Queue(work));
        other.Join();
        queue.Flush();
        Assert.Equal(runs, probe.Runs);
        Assert.Equal(queued - taken, runs);
        Assert.True(work.Enable());
        Assert.True(queue.Queue(work));
        queue.Flush();
        Assert.Equal(runs + 1, probe.Runs);
    });

    [Fact]
    public void Who_was_told_that_a_delayed_item_is_pending_may_flush_it() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        var work = new DelayedWork<Probe>(probe, Probe.Function);
        var other = scenario.Run("first to use it", () => queue.Modify(work, TimeSpan.FromSeconds(1)));
        if (work.IsPending)
        {
            work.Flush();
            Assert.Equal(1, probe.Runs);
        }

        other.Join();
        work.CancelSync();
    });
}
