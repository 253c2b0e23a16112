namespace Kworker.Tests;

public sealed class WorkDeadlockTests : IDisposable
{
    private readonly KworkerSystem _system = new();

    public void Dispose() => _system.Dispose();

    public static TheoryData<string> SelfWaits => ["flush", "cancel", "disable", "queue flush", "drain", "dispose"];

    [Theory]
    [MemberData(nameof(SelfWaits))]
    public void An_item_that_waits_for_itself_is_told_so(string call)
    {
        foreach (Workqueue queue in (Workqueue[])[new("plain", null, _system), Workqueue.Ordered("ordered", _system), new("unbound", new() { Unbound = true }, _system)])
        {
            DeadlockException? report = null;
            Work<int>? self = null;
            self = new Work<int>(0, _ => report = Assert.Throws<DeadlockException>(() =>
            {
                switch (call)
                {
                    case "flush": self!.Flush(); break;
                    case "cancel": self!.CancelSync(); break;
                    case "disable": self!.DisableSync(); break;
                    case "queue flush": queue.Flush(); break;
                    case "drain": queue.Drain(); break;
                    default: queue.Dispose(); break;
                }
            }));
            Run(queue, self);
            DeadlockLink link = Assert.Single(report!.Cycle);
            Assert.Contains(nameof(An_item_that_waits_for_itself_is_told_so), link.Function, StringComparison.Ordinal);
            Assert.Equal($"workqueue {queue.Name}", link.Queue);
            report = null;
            Run(queue, self); // nothing was disturbed
            Assert.NotNull(report);
            queue.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(SelfWaits))]
    public async Task An_async_item_that_waits_for_itself_is_told_so_on_whatever_worker_it_is(string call)
    {
        await using var queue = new Workqueue("async", null, _system);
        var go = new Completion();
        DeadlockException? report = null;
        Work<int>? self = null;
        self = new Work<int>(0, async (_, _) =>
        {
            await go.WaitAsync();
            report = await Assert.ThrowsAsync<DeadlockException>(async () =>
            {
                switch (call)
                {
                    case "flush": await self!.FlushAsync(); break;
                    case "cancel": await self!.CancelSyncAsync(); break;
                    case "disable": await self!.DisableSyncAsync(); break;
                    case "queue flush": await queue.FlushAsync(); break;
                    case "drain": await queue.DrainAsync(); break;
                    default: await queue.DisposeAsync(); break;
                }
            });
        });
        queue.Queue(self);
        go.Complete();
        await self.FlushAsync();
        Assert.Single(report!.Cycle);
    }

    [Fact]
    public void A_delayed_item_that_flushes_itself_is_not_hastened()
    {
        using var queue = new Workqueue("queue", null, _system);
        DelayedWork<int>? self = null;
        self = new DelayedWork<int>(0, _ =>
        {
            queue.Queue(self!, TimeSpan.FromDays(1));
            Assert.Throws<DeadlockException>(() => self!.Flush());
        });
        queue.Queue(self, TimeSpan.Zero);
        queue.Flush();
        Assert.True(self.IsPending);
        Assert.True(self.Cancel());
    }

    [Fact]
    public void An_item_of_an_ordered_queue_that_flushes_the_one_behind_it_is_told_so()
    {
        using Workqueue queue = Workqueue.Ordered("ordered", _system);
        DeadlockException? report = null;
        var next = new Work<int>(0, static _ => { });
        Run(queue, new Work<int>(0, _ =>
        {
            queue.Queue(next);
            report = Assert.Throws<DeadlockException>(() => next.Flush());
        }));
        Assert.Equal($"Flush of {nameof(WorkDeadlockTests)}.{nameof(An_item_of_an_ordered_queue_that_flushes_the_one_behind_it_is_told_so)} lambda (workqueue ordered)", Assert.Single(report!.Cycle).WaitsFor);
        next.Flush();
    }

    [Fact]
    public void A_cycle_over_three_queues_and_a_kthread_worker_names_all_its_links()
    {
        using var one = new Workqueue("one", new() { Unbound = true }, _system);
        using Workqueue two = Workqueue.Ordered("two", _system);
        using var three = new KthreadWorker("three", _system);
        var started = new Completion();
        var go = new Completion();
        DeadlockException? report = null;
        Work<int>? a = null;
        Work<int>? b = null;
        KthreadWork<int>? c = null;
        a = new Work<int>(0, _ =>
        {
            started.Complete();
            go.Wait();
            two.Flush();
        });
        b = new Work<int>(0, _ =>
        {
            started.Complete();
            go.Wait();
            c!.CancelSync();
        });
        c = new KthreadWork<int>(0, _ =>
        {
            started.Complete();
            Until(() => WaitGraph.Waits(RunOf(a)) && WaitGraph.Waits(RunOf(b)));
            report = Assert.Throws<DeadlockException>(() => a.Flush());
        });
        one.Queue(a);
        two.Queue(b);
        three.Queue(c);
        for (int i = 0; i < 3; i++)
            started.Wait();
        go.CompleteAll();
        a.Flush();
        b.Flush();
        Assert.Equal(["kthread worker three", "workqueue one", "workqueue two"], report!.Cycle.Select(link => link.Queue));
        Assert.StartsWith("Flush of WorkDeadlockTests.", report.Cycle[0].WaitsFor, StringComparison.Ordinal);
        Assert.Equal("Flush of workqueue two", report.Cycle[1].WaitsFor);
        Assert.StartsWith("CancelSync of WorkDeadlockTests.", report.Cycle[2].WaitsFor, StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_in_a_queue_is_waited_for_in_vain_only_when_all_active_items_are_stuck()
    {
        using var queue = new Workqueue("narrow", new() { MaxActive = 2, Unbound = true }, _system);
        var started = new Completion();
        var go = new Completion();
        var inactive = new Work<int>(0, static _ => { });
        int reports = 0;
        void Wait()
        {
            started.Complete();
            go.Wait();
            try
            {
                inactive.Flush();
            }
            catch (DeadlockException)
            {
                Interlocked.Increment(ref reports);
            }
        }

        var first = new Work<int>(0, _ => Wait());
        var second = new Work<int>(0, _ => Wait());
        queue.Queue(first);
        queue.Queue(second);
        started.Wait();
        started.Wait();
        queue.Queue(inactive);
        go.Complete();
        // The first may wait: the second could end and make room.
        Until(() => WaitGraph.Waits(RunOf(first)) || WaitGraph.Waits(RunOf(second)));
        Assert.Equal(0, Volatile.Read(ref reports));
        go.Complete();
        queue.Flush();
        Assert.Equal(1, reports);
    }

    [Fact]
    public void An_item_that_waits_for_its_own_next_run_on_another_queue_is_told_so()
    {
        using var one = new Workqueue("one", null, _system);
        using var other = new Workqueue("other", null, _system);
        DeadlockException? report = null;
        Work<bool[]>? self = null;
        self = new Work<bool[]>([true], first =>
        {
            if (!first[0])
                return;
            first[0] = false;
            other.Queue(self!);
            report = Assert.Throws<DeadlockException>(other.Flush);
        });
        Run(one, self);
        self.Flush();
        Assert.Equal("Flush of workqueue other", Assert.Single(report!.Cycle).WaitsFor);
    }

    [Fact]
    public void Who_cancels_beside_another_that_cancels_is_told_too()
    {
        using var queue = new Workqueue("queue", new() { Unbound = true }, _system);
        var started = new Completion();
        var go = new Completion();
        DeadlockException? report = null;
        Work<int>? a = null;
        Work<int>? b = null;
        a = new Work<int>(0, _ =>
        {
            started.Complete();
            go.Wait();
            b!.CancelSync(); // waits for the one outside first
        });
        b = new Work<int>(0, _ =>
        {
            started.Complete();
            Until(() => WaitGraph.Waits(RunOf(a)));
            report = Assert.Throws<DeadlockException>(() => a.Flush());
        });
        queue.Queue(a);
        queue.Queue(b);
        started.Wait();
        started.Wait();
        Kthread outside = Kthread.Run(b => b.CancelSync() ? 1 : 0, b, "outside", _system);
        Until(() => b.IsPending); // taken over by the one outside
        go.Complete();
        queue.Flush();
        Assert.NotNull(report);
        Until(() => outside.HasExited);
        Assert.Equal(0, outside.Stop());
    }

    [Fact]
    public void Stacks_are_in_the_report_when_they_are_recorded()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { RecordStacks = true });
        using var queue = new Workqueue("queue", null, system);
        DeadlockException? report = null;
        Work<int>? self = null;
        self = new Work<int>(0, _ => report = Assert.Throws<DeadlockException>(() => self!.Flush()));
        Run(queue, self);
        DeadlockLink link = Assert.Single(report!.Cycle);
        Assert.Contains(nameof(Run), link.QueuedAt, StringComparison.Ordinal);
        Assert.Contains(nameof(Stacks_are_in_the_report_when_they_are_recorded), link.WaitsAt, StringComparison.Ordinal);
    }

    private static void Run(Workqueue queue, Work work)
    {
        Assert.True(queue.Queue(work));
        work.Flush();
    }

    private object RunOf(Work work)
    {
        _system.RunLock.Enter();
        object run = work.FindRun() ?? new object();
        _system.RunLock.Exit();
        return run;
    }

    private static void Until(Func<bool> condition)
    {
        var spin = new SpinWait();
        while (!condition())
            spin.SpinOnce();
    }
}
