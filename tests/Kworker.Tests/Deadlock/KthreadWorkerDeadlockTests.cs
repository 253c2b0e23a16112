namespace Kworker.Tests;

public sealed class KthreadWorkerDeadlockTests : IDisposable
{
    private readonly KthreadWorker _first = new("first");
    private readonly KthreadWorker _second = new("second");

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public void An_item_that_flushes_itself_is_told_so()
    {
        DeadlockException report = ThrownBy(_first, static self => self.Flush());
        DeadlockLink link = Assert.Single(report.Cycle);
        Assert.Contains(nameof(ThrownBy), link.Function, StringComparison.Ordinal);
        Assert.Equal("kthread worker first", link.Queue);
        Assert.StartsWith("Flush of ", link.WaitsFor, StringComparison.Ordinal);
    }

    [Fact]
    public void An_item_that_cancels_itself_is_told_so_and_can_be_queued_again()
    {
        var ran = new Completion();
        KthreadWork<KthreadWorkerDeadlockTests>? self = null;
        bool again = true;
        DeadlockException? report = null;
        self = new KthreadWork<KthreadWorkerDeadlockTests>(this, _ =>
        {
            if (again)
            {
                again = false;
                Assert.True(_first.Queue(self!));
                report = Assert.Throws<DeadlockException>(() => self!.CancelSync());
            }
            else
            {
                ran.Complete();
            }
        });
        _first.Queue(self);
        ran.Wait(); // what it had queued before was not taken back
        Assert.Equal("CancelSync of " + report!.Cycle[0].Function + " (kthread worker first)", report.Cycle[0].WaitsFor);
        Assert.True(_first.Queue(self));
        self.Flush();
    }

    [Fact]
    public void An_item_that_flushes_its_own_worker_is_told_so()
    {
        DeadlockException report = ThrownBy(_first, self => _first.Flush());
        Assert.Equal("Flush of kthread worker first", Assert.Single(report.Cycle).WaitsFor);
    }

    [Fact]
    public void An_item_that_flushes_one_behind_it_is_told_so()
    {
        var other = new KthreadWork<int>(0, static _ => { });
        DeadlockException report = ThrownBy(_first, self =>
        {
            _first.Queue(other);
            other.Flush();
        });
        Assert.Single(report.Cycle);
        other.Flush();
    }

    [Fact]
    public void An_item_that_disposes_of_its_own_worker_is_told_so_and_the_worker_goes_on()
    {
        ThrownBy(_first, self => _first.Dispose());
        ThrownBy(_first, self => _first.Thread.Stop());
        var ran = new Completion();
        _first.Queue(new KthreadWork<Completion>(ran, static ran => ran.Complete()));
        ran.Wait();
    }

    [Fact]
    public void A_cycle_over_two_workers_is_reported_by_who_closes_it_and_the_other_goes_on()
    {
        var firstWaits = new Completion();
        KthreadWork<int>? a = null, b = null;
        DeadlockException? report = null;
        var bRuns = new Completion();
        var aRuns = new Completion();
        a = new KthreadWork<int>(0, _ =>
        {
            aRuns.Complete();
            bRuns.Wait();
            b!.Flush();
        });
        b = new KthreadWork<int>(0, _ =>
        {
            bRuns.Complete();
            aRuns.Wait();
            Until(() => WaitGraph.Waits(_first.Thread));
            report = Assert.Throws<DeadlockException>(() => a.CancelSync());
            firstWaits.Complete();
        });
        _first.Queue(a);
        _second.Queue(b);
        firstWaits.Wait();
        a.Flush();
        Assert.Equal(["kthread worker second", "kthread worker first"], report!.Cycle.Select(link => link.Queue));
        Assert.StartsWith("CancelSync", report.Cycle[0].WaitsFor, StringComparison.Ordinal);
        Assert.StartsWith("Flush", report.Cycle[1].WaitsFor, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kthread_that_stops_itself_is_told_so()
    {
        DeadlockException? report = null;
        Kthread? self = null;
        var made = new Completion();
        self = Kthread.Run(made =>
        {
            made.Wait();
            report = Assert.Throws<DeadlockException>(() => self!.Stop());
            return Kthread.ShouldStop ? 1 : 2;
        }, made, "suicidal");
        made.Complete();
        Until(() => self.HasExited);
        Assert.Equal(2, self.Stop());
        Assert.Equal("kthread suicidal", Assert.Single(report!.Cycle).Function);
    }

    [Fact]
    public void A_kthread_stopped_by_an_item_that_it_waits_for_is_found_too()
    {
        Kthread? kthread = null;
        DeadlockException? report = null;
        var runs = new Completion();
        KthreadWork<int> item = new(0, _ =>
        {
            runs.Complete();
            Until(() => WaitGraph.Waits(kthread!));
            report = Assert.Throws<DeadlockException>(() => kthread!.Stop());
        });
        kthread = Kthread.Create(_ =>
        {
            runs.Wait();
            item.Flush();
            return 5;
        }, 0, "flusher");
        _first.Queue(item);
        kthread.Start();
        item.Flush();
        Assert.Equal(["Stop of kthread flusher", $"Flush of {report!.Cycle[0].Function} (kthread worker first)"], report.Cycle.Select(link => link.WaitsFor));
    }

    [Fact]
    public async Task A_plain_item_may_begin_a_flush_of_itself_that_it_does_not_await()
    {
        ValueTask flush = default;
        KthreadWork<int>? self = null;
        var begun = new Completion();
        self = new KthreadWork<int>(0, _ =>
        {
            flush = self!.FlushAsync();
            begun.Complete();
        });
        _first.Queue(self);
        begun.Wait();
        await flush;
    }

    [Fact]
    public void Stacks_are_in_the_report_when_they_are_recorded()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { RecordStacks = true });
        using var worker = new KthreadWorker("recorded", system);
        DeadlockException? report = null;
        KthreadWork<int>? self = null;
        self = new KthreadWork<int>(0, _ => report = Assert.Throws<DeadlockException>(() => self!.Flush()));
        Run(worker, self);
        DeadlockLink link = Assert.Single(report!.Cycle);
        Assert.Equal("kthread worker recorded", link.Queue);
        Assert.Contains(nameof(Run), link.QueuedAt, StringComparison.Ordinal);
        Assert.Contains(nameof(Stacks_are_in_the_report_when_they_are_recorded), link.WaitsAt, StringComparison.Ordinal);
        Assert.Contains(nameof(Run), report.Message, StringComparison.Ordinal);
    }

    private static void Run(KthreadWorker worker, KthreadWork work)
    {
        Assert.True(worker.Queue(work));
        work.Flush();
    }

    /// <summary>For what no hand-shake can tell: that another thread has begun to wait.</summary>
    private static void Until(Func<bool> condition)
    {
        var spin = new SpinWait();
        while (!condition())
            spin.SpinOnce();
    }

    /// <summary>What is thrown at <paramref name="wait"/> in an item's function on <paramref name="worker"/>.</summary>
    private static DeadlockException ThrownBy(KthreadWorker worker, Action<KthreadWork> wait)
    {
        DeadlockException? report = null;
        KthreadWork<int>? self = null;
        self = new KthreadWork<int>(0, _ => report = Assert.Throws<DeadlockException>(() => wait(self!)));
        worker.Queue(self);
        self.Flush();
        return report ?? throw new InvalidOperationException("It did not throw.");
    }
}
