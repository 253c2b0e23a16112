using System.Collections.ObjectModel;
using System.Diagnostics.Tracing;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>What goes wrong is an event, and is counted by the meter.</summary>
[Collection(nameof(TracingTests))]
public sealed class HealthTests : IDisposable
{
    private readonly EventRecorder _events = new(KworkerEventSource.Keywords.Health | KworkerEventSource.Keywords.Kthread);

    public void Dispose() => _events.Dispose();

    [Fact]
    public void A_pool_that_has_all_the_workers_it_may_have()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 2, MaxWorkers = 4, Log = static _ => { } });
        using var queue = new Workqueue("test", null, system);
        var gate = new Completion();
        using var last = new AtEnd(gate.CompleteAll);
        for (int i = 0; i < 20; i++)
            queue.Queue(new Work<Completion>(gate, static gate => gate.Wait()));
        Assert.Equal<object?>(["n", 4], Await("pool_cap_reached"));
        MeterReading.AssertCounts("kworker.pool.cap_reached", system, static system => system.Counters.CapReached);
    }

    [Fact]
    public void No_thread_can_be_had_and_the_rescuer_comes()
    {
        bool fails = true;
        using var system = new KworkerSystem(new KworkerSystemOptions
        {
            BeforeThread = name =>
            {
                if (Volatile.Read(ref fails))
                    throw new InsufficientMemoryException($"no thread for {name}");
            },
            Log = static _ => { },
        });
        using var reclaim = new Workqueue("reclaim", new WorkqueueOptions { MemReclaim = true }, system);
        using var last = new AtEnd(() => Volatile.Write(ref fails, false));
        reclaim.Queue(new Work<int>(0, static _ => { }));
        reclaim.Flush();
        Assert.Equal<object?>(["n", "no thread for kworker/n:0"], Await("pool_thread_failed"));
        Assert.Equal<object?>(["reclaim"], Await("workqueue_rescue"));
        MeterReading.AssertCounts("kworker.pool.thread_failures", system, static system => system.Counters.ThreadsFailed);
        MeterReading.AssertCounts("kworker.pool.rescues", system, static system => system.Counters.Rescues);
    }

    [Fact]
    public void A_wait_that_would_never_end()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        using var queue = new Workqueue("test", null, system);
        DeadlockException? report = null;
        Work<int>? self = null;
        self = new Work<int>(0, _ => report = Assert.Throws<DeadlockException>(() => self!.Flush()));
        queue.Queue(self);
        queue.Flush();
        Assert.Equal<object?>([report!.Message], Await("deadlock_reported"));
        Assert.Equal(WaitGraph.Reports, MeterReading.Take()["kworker.deadlocks", ""]);
    }

    [Fact]
    public void An_exception_of_a_kthread_workers_item()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        using var worker = new KthreadWorker("disk", system);
        worker.Queue(new KthreadWork<int>(0, static _ => throw new FormatException("on purpose")));
        worker.Flush();
        ReadOnlyCollection<object?> seen = Await("kthread_work_exception");
        Assert.Equal(["disk", $"{nameof(HealthTests)}.{nameof(An_exception_of_a_kthread_workers_item)} lambda"], seen.Take(2));
        Assert.Contains("on purpose", (string)seen[2]!, StringComparison.Ordinal);
        MeterReading.AssertCounts("kworker.work.exceptions", system, static system => system.Counters.WorkExceptions);
        MeterReading.AssertCounts("kworker.kthreads", system, static system => system.Registry.KthreadCount);
    }

    [Fact]
    public void An_exception_of_a_kthread()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        Kthread kthread = Kthread.Run<int>(static _ => throw new FormatException("on purpose"), 0, "thrower", system);
        Assert.Equal("thrower", Await("kthread_exception")[0]);
        MeterReading.AssertCounts("kworker.kthread.exceptions", system, static system => system.Counters.KthreadExceptions);
        Assert.Throws<FormatException>(() => kthread.Stop());
    }

    [Fact]
    public void A_kthread_is_seen_started_asked_to_stop_and_ended()
    {
        using var system = new KworkerSystem();
        var begun = new Completion();
        Kthread kthread = Kthread.Run(static begun =>
        {
            begun.Complete();
            new WaitQueue().WaitEvent(static () => Kthread.ShouldStop);
            return 7;
        }, begun, "obedient", system);
        begun.Wait();
        Assert.DoesNotContain(_events.Named("sched_kthread_stop"), static e => (string)e.Payload![0]! == "obedient");
        Assert.Equal(7, kthread.Stop());
        Assert.Equal(
            ["sched_kthread_start", "sched_kthread_stop", "sched_kthread_stop_ret"],
            _events.All.Where(static e => e.Payload![0] is "obedient").Select(static e => e.EventName));
        Assert.Equal(7, Assert.Single(_events.Named("sched_kthread_stop_ret"), static e => e.Payload![0] is "obedient").Payload![1]);
    }

    [Fact]
    public void What_the_watchdog_finds()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, Log = static _ => { } });
        using var queue = new Workqueue("slow", null, system);
        var begun = new Completion();
        var end = new Completion();
        using var last = new AtEnd(end.CompleteAll);
        queue.Queue(new Work<int>(0, _ =>
        {
            begun.Complete();
            end.Wait();
        }));
        begun.Wait();
        for (int i = 0; i < 42; i++)
            time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("slow", Await("watchdog")[3]);
        MeterReading.AssertCounts("kworker.watchdog.reports", system, static system => system.Counters.Stalls);
    }

    /// <summary>The fields of the first event of a name: what is told may be told after what can be waited for.</summary>
    private ReadOnlyCollection<object?> Await(string name)
    {
        EventWrittenEventArgs? seen;
        var spin = new SpinWait();
        while ((seen = _events.Named(name).FirstOrDefault()) is null)
            spin.SpinOnce();
        return seen.Payload!;
    }
}
