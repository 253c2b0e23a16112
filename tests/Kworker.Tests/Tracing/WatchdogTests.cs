using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class WatchdogTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<string> _log = [];
    private readonly ConcurrentQueue<WatchdogEventArgs> _reports = [];
    private readonly KworkerSystem _system;

    public WatchdogTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = _log.Enqueue, Processors = 1 });
        _system.Stalled += (_, report) => _reports.Enqueue(report);
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void An_item_that_runs_past_the_limit_is_reported_once()
    {
        using var events = new EventRecorder(KworkerEventSource.Keywords.Health);
        using var queue = new Workqueue("slow", new() { Unbound = true }, _system);
        var begun = new Completion();
        var end = new Completion();
        queue.Queue(new Work<int>(0, _ =>
        {
            begun.Complete();
            end.Wait();
        }));
        begun.Wait();
        Pass(TimeSpan.FromSeconds(29));
        Assert.Empty(_reports);
        Pass(TimeSpan.FromSeconds(13));
        WatchdogEventArgs report = Assert.Single(_reports);
        Assert.Equal(WatchdogKind.ItemRunsLong, report.Kind);
        Assert.Equal("slow", report.Queue);
        Assert.Equal($"{nameof(WatchdogTests)}.{nameof(An_item_that_runs_past_the_limit_is_reported_once)} lambda", report.Function);
        Assert.StartsWith("kworker/u:", report.Subject, StringComparison.Ordinal);
        Assert.InRange(report.Duration.TotalSeconds, 30, 36);
        Assert.Contains("thread ", report.Where, StringComparison.Ordinal);
        Assert.StartsWith($"kworker: {report.Function} (queue slow) has been running on {report.Subject} for 30 s", Assert.Single(_log), StringComparison.Ordinal);
        AssertTraced(events, report);
        Pass(TimeSpan.FromMinutes(10));
        Assert.Single(_reports);
        end.Complete();
        queue.Flush();
        Pass(TimeSpan.FromMinutes(10));
        Assert.Single(_reports);
    }

    [Fact]
    public async Task An_async_item_in_an_await_is_reported_too()
    {
        await using var queue = new Workqueue("async", null, _system);
        var begun = new Completion();
        var end = new Completion();
        queue.Queue(new Work<int>(0, async (_, _) =>
        {
            begun.Complete();
            await end.WaitAsync();
        }));
        begun.Wait();
        Until(() => _system.Snapshot().Workqueues.Any(static queue => queue.InFlight.Any(static item => item.IsAwaiting)));
        Pass(TimeSpan.FromSeconds(42));
        WatchdogEventArgs report = Assert.Single(_reports);
        Assert.Equal((WatchdogKind.ItemRunsLong, "", "async", "in an await"), (report.Kind, report.Subject, report.Queue, report.Where));
        end.Complete();
    }

    [Fact]
    public void A_pool_that_begins_nothing_while_work_waits_is_reported_with_what_is_alive()
    {
        using var events = new EventRecorder(KworkerEventSource.Keywords.Health);
        // Without the monitor: a pause of the garbage collector that lasts for two of its looks lets the spinning item seem asleep, and another take its place.
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = _log.Enqueue, Processors = 1, Monitor = false });
        system.Stalled += (_, report) => _reports.Enqueue(report);
        using var blocked = new Workqueue("blocked", null, system);
        using var queue = new Workqueue("busy", null, system);
        var begun = new Completion();
        var unblock = new Completion();
        bool end = false;
        using var last = new AtEnd(() =>
        {
            Volatile.Write(ref end, true);
            unblock.Complete();
        });
        blocked.Queue(new Work<Completion>(unblock, Halted)); // for longer, but has given its place to others
        Until(() => system.Snapshot().Pools.Single(static pool => pool.Name == "n").Threads.Any(static thread => thread.State == WorkerState.Blocked));
        Pass(TimeSpan.FromSeconds(12));
        queue.Queue(new Work<int>(0, _ =>
        {
            begun.Complete();
            var spin = new SpinWait();
            while (!Volatile.Read(ref end)) // it has the pool's only place, and never gives it up
                spin.SpinOnce(sleep1Threshold: -1);
        }));
        begun.Wait();
        queue.Queue(new Work<int>(0, static _ => { }));
        Pass(TimeSpan.FromSeconds(42));
        WatchdogEventArgs report = Assert.Single(_reports, static report => report.Kind == WatchdogKind.PoolStalled);
        Assert.Equal(("n", "busy"), (report.Subject, report.Queue));
        Assert.Equal($"{nameof(WatchdogTests)}.{nameof(A_pool_that_begins_nothing_while_work_waits_is_reported_with_what_is_alive)} lambda", report.Function);
        Assert.Contains($"while work waits; longest at work: {report.Function} (queue busy)", report.ToString(), StringComparison.Ordinal);
        AssertTraced(events, report);
        Assert.Contains("busy", report.ToString(), StringComparison.Ordinal);
        Assert.Contains("pending: ", report.ToString(), StringComparison.Ordinal);
        Assert.True(system.Snapshot().Pools.Single(static pool => pool.Name == "n").Hung >= TimeSpan.FromSeconds(30));
        Volatile.Write(ref end, true);
        queue.Flush();
        Pass(TimeSpan.FromMinutes(10));
        Assert.Single(_reports, static report => report.Kind == WatchdogKind.PoolStalled);
        Assert.Equal(TimeSpan.Zero, system.Snapshot().Pools.Single(static pool => pool.Name == "n").Hung);
    }

    [Fact]
    public void A_kthread_in_an_uninterruptible_wait_is_reported_after_two_minutes()
    {
        var end = new Completion();
        var begun = new Completion();
        var kthread = Kthread.Run(both =>
        {
            both.begun.Complete();
            both.end.Wait();
            return 1;
        }, (begun, end), "stuck", _system);
        begun.Wait();
        Until(() => kthread.UninterruptibleWaits().Count == 1);
        Pass(TimeSpan.FromSeconds(119));
        Assert.Empty(_reports);
        Pass(TimeSpan.FromSeconds(13));
        WatchdogEventArgs report = Assert.Single(_reports);
        Assert.Equal((WatchdogKind.TaskHung, "stuck"), (report.Kind, report.Subject));
        Pass(TimeSpan.FromMinutes(10));
        Assert.Single(_reports);
        end.Complete();
        Until(() => kthread.HasExited);
        Assert.Equal(1, kthread.Stop());
    }

    [Fact]
    public void Kthreads_that_wait_as_long_as_they_like_are_not()
    {
        var begun = new Completion();
        var never = new Completion();
        using var worker = new KthreadWorker("idle worker", _system);
        var interruptible = Kthread.Run(static both =>
        {
            both.begun.Complete();
            both.never.Wait(WaitMode.Interruptible);
            return 1;
        }, (begun, never), "interruptible", _system);
        var timed = Kthread.Run(static both =>
        {
            both.begun.Complete();
            both.never.Wait(TimeSpan.FromHours(1));
            return 2;
        }, (begun, never), "with a limit", _system);
        begun.Wait();
        begun.Wait();
        var parked = Kthread.Create(static _ => 3, 0, "parked", _system);
        Assert.Equal(0, parked.Park());
        Until(() => _system.Snapshot().Kthreads.Count(static kthread => kthread.Waits is not null) == 4);
        Pass(TimeSpan.FromMinutes(30));
        Assert.Empty(_reports);
        interruptible.Signal();
        Until(() => interruptible.HasExited);
        Pass(TimeSpan.FromMinutes(40));
        Until(() => timed.HasExited);
        Assert.Equal((1, 2), (interruptible.Stop(), timed.Stop()));
        parked.Stop();
    }

    [Fact]
    public void With_stacks_recorded_it_says_where_the_wait_began()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = _log.Enqueue, RecordStacks = true });
        system.Stalled += (_, report) => _reports.Enqueue(report);
        var end = new Completion();
        var kthread = Kthread.Run(Stuck, end, "stuck", system);
        Until(() => kthread.UninterruptibleWaits().Count == 1);
        Pass(TimeSpan.FromSeconds(160));
        Assert.Contains(nameof(Stuck), Assert.Single(_reports).Where, StringComparison.Ordinal);
        end.Complete();
        Until(() => kthread.HasExited);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void So_it_does_for_a_workqueues_item(bool announced)
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = _log.Enqueue, RecordStacks = true });
        system.Stalled += (_, report) => _reports.Enqueue(report);
        using var queue = new Workqueue("slow", new() { Unbound = true }, system);
        var end = new Completion();
        using var gate = new ManualResetEventSlim();
        using var last = new AtEnd(() =>
        {
            end.Complete();
            gate.Set();
        });
        queue.Queue(announced ? new Work<ManualResetEventSlim>(gate, HaltedElsewhere) : new Work<Completion>(end, Halted));
        Until(() => system.Registry.Workers.Any(static worker => worker.BlockedAt is not null));
        Pass(TimeSpan.FromSeconds(42));
        WatchdogEventArgs report = Assert.Single(_reports);
        Assert.Equal(WatchdogKind.ItemRunsLong, report.Kind);
        Assert.Contains(announced ? nameof(HaltedElsewhere) : nameof(Halted), report.Where.Split('\n')[0], StringComparison.Ordinal);
        Assert.Contains(nameof(So_it_does_for_a_workqueues_item), report.QueuedAt, StringComparison.Ordinal);
        end.Complete();
        gate.Set();
        queue.Flush();
        Assert.All(system.Registry.Workers, static worker => Assert.Null(worker.BlockedAt));
    }

    [Fact]
    public void And_for_a_kthread_workers_item()
    {
        using var events = new EventRecorder(KworkerEventSource.Keywords.Health);
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = _log.Enqueue, RecordStacks = true });
        system.Stalled += (_, report) => _reports.Enqueue(report);
        using var worker = new KthreadWorker("disk", system);
        var end = new Completion();
        using var last = new AtEnd(end.Complete);
        worker.Queue(new KthreadWork<Completion>(end, Halted));
        Until(() => worker.Thread.UninterruptibleWaits().Count == 1);
        Pass(TimeSpan.FromSeconds(160));
        Assert.Equal([WatchdogKind.ItemRunsLong, WatchdogKind.TaskHung], _reports.Select(static report => report.Kind));
        foreach (WatchdogEventArgs report in _reports)
        {
            Assert.Equal(("disk", "disk", $"{nameof(WatchdogTests)}.{nameof(Halted)}"), (report.Subject, report.Queue, report.Function));
            Assert.Contains(nameof(Halted), report.Where.Split('\n')[0], StringComparison.Ordinal);
            AssertTraced(events, report);
        }
    }

    [Fact]
    public void Limits_can_be_set_and_turned_off()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions
        {
            TimeProvider = time,
            Log = _log.Enqueue,
            LongItemLimit = TimeSpan.FromSeconds(1),
            PoolStallLimit = Timeout.InfiniteTimeSpan,
            HungTaskLimit = Timeout.InfiniteTimeSpan,
        });
        system.Stalled += (_, report) => _reports.Enqueue(report);
        using var worker = new KthreadWorker("thread", system);
        var begun = new Completion();
        var end = new Completion();
        worker.Queue(new KthreadWork<int>(0, _ =>
        {
            begun.Complete();
            end.Wait();
        }));
        begun.Wait();
        for (int i = 0; i < 1000; i++)
            time.Advance(TimeSpan.FromMilliseconds(200));
        WatchdogEventArgs report = Assert.Single(_reports);
        Assert.Equal((WatchdogKind.ItemRunsLong, "thread", "thread"), (report.Kind, report.Queue, report.Subject));
        end.Complete();
    }

    private static void AssertTraced(EventRecorder events, WatchdogEventArgs report) =>
        Assert.Contains(
            events.Named("watchdog"),
            e => e.Payload!.SequenceEqual([report.Kind.ToString(), report.Subject, report.Function ?? "", report.Queue ?? "", report.Duration.TotalSeconds]));

    private static void Halted(Completion end)
    {
        end.Wait();
        GC.KeepAlive(end); // the wait is no tail call: this function is on the stack
    }

    private static void HaltedElsewhere(ManualResetEventSlim gate)
    {
        using (Worker.Blocking())
            gate.Wait();
    }

    private static int Stuck(Completion end)
    {
        end.Wait();
        return 0;
    }

    /// <summary>In steps: a look that comes late because time has jumped sees too little of it.</summary>
    private void Pass(TimeSpan time)
    {
        for (; time > TimeSpan.Zero; time -= TimeSpan.FromSeconds(1))
            _time.Advance(TimeSpan.FromSeconds(1));
    }

    private static void Until(Func<bool> condition)
    {
        var spin = new SpinWait();
        while (!condition())
            spin.SpinOnce();
    }
}
