using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Tracing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class WorkTracingTests : IDisposable
{
    private readonly KworkerSystem _system = new(new KworkerSystemOptions { Log = static _ => { } });

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_item_is_seen_queued_activated_begun_and_ended(bool unbound)
    {
        using var queue = new Workqueue("traced", new() { Unbound = unbound }, _system);
        var work = new Work<int>(0, static _ => { });
        using (var events = new EventRecorder(KworkerEventSource.Keywords.Workqueue))
        {
            queue.Queue(work);
            queue.Flush();
            AssertSeen(events, work, 1);
            queue.Queue(work);
            queue.Flush();
            AssertSeen(events, work, 2);
        }

        Assert.False(Listeners.OfRuns);
    }

    [Fact]
    public async Task So_is_an_async_one_once_for_its_whole_run()
    {
        await using var queue = new Workqueue("traced", null, _system);
        using var events = new EventRecorder(KworkerEventSource.Keywords.Workqueue);
        var work = new Work<int>(0, static async (_, _) =>
        {
            await Task.Yield();
            await Task.Yield();
        });
        queue.Queue(work);
        await queue.FlushAsync();
        AssertSeen(events, work, 1);
    }

    [Fact]
    public void An_exception_is_seen()
    {
        using var queue = new Workqueue("traced", null, _system);
        using var events = new EventRecorder(KworkerEventSource.Keywords.Health);
        queue.Queue(new Work<int>(0, static _ => throw new FormatException("on purpose")));
        queue.Flush();
        EventWrittenEventArgs seen = Assert.Single(events.Named("workqueue_exception"));
        Assert.Equal("traced", seen.Payload![0]);
        Assert.Contains("on purpose", (string)seen.Payload[2]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_run_is_an_activity_under_the_one_that_queued_it()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "Kworker" or "test",
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var test = new ActivitySource("test");
        await using var queue = new Workqueue("traced", null, _system);
        Activity? inside = null, insideAsync = null;
        var plain = new Work<int>(0, _ => inside = Activity.Current);
        var @async = new Work<int>(0, async (_, _) =>
        {
            await Task.Yield();
            insideAsync = Activity.Current;
        });
        var thrower = new Work<int>(0, static _ => throw new FormatException("on purpose"));
        var hasRun = new Completion();
        var delayed = new DelayedWork<int>(0, _ => hasRun.Complete());
        var moved = new DelayedWork<int>(0, static _ => { });
        queue.Queue(delayed, TimeSpan.FromTicks(1)); // from nowhere
        await hasRun.WaitAsync();
        queue.Queue(moved, TimeSpan.FromDays(1));
        await queue.FlushAsync();
        Assert.Equal(default, Assert.Single(ended).ParentSpanId);
        ended.Clear();
        ActivityContext parent;
        using (Activity request = test.StartActivity("request")!)
        {
            parent = request.Context;
            queue.Queue(plain);
            queue.Queue(@async);
            queue.Queue(thrower);
            queue.Queue(delayed, TimeSpan.FromTicks(1));
            queue.Modify(moved, TimeSpan.FromTicks(1));
        }

        await hasRun.WaitAsync();
        await moved.FlushAsync();
        await queue.FlushAsync();
        Activity[] runs = [.. ended.Where(static activity => activity.Source.Name == "Kworker")];
        Assert.Equal(5, runs.Length);
        Assert.All(runs, run => Assert.Equal((parent.TraceId, parent.SpanId), (run.TraceId, run.ParentSpanId)));
        Assert.All(runs, static run => Assert.Equal("traced", run.GetTagItem("kworker.workqueue")));
        Assert.Contains(inside, runs);
        Assert.Contains(insideAsync, runs);
        Assert.Equal("on purpose", Assert.Single(runs, static run => run.Status == ActivityStatusCode.Error).StatusDescription);

        queue.Queue(plain);
        await queue.FlushAsync();
        Activity orphan = ended.Last(static activity => activity.Source.Name == "Kworker");
        Assert.Equal(default, orphan.ParentSpanId);
    }

    [Fact]
    public void Items_of_a_kthread_worker_are_seen_queued_begun_and_ended()
    {
        using var events = new EventRecorder(KworkerEventSource.Keywords.Kthread);
        using var worker = new KthreadWorker("traced worker", _system);
        var work = new KthreadWork<int>(0, static _ => { });
        worker.Queue(work);
        work.Flush();
        worker.Dispose();
        long id = TracePoints.Identity(work);
        Assert.Equal(
            ["sched_kthread_work_execute_end", "sched_kthread_work_execute_start", "sched_kthread_work_queue_work"],
            events.All.Where(e => Equals(e.Payload![0], id)).Select(static e => e.EventName).Order());
    }

    [Fact]
    public void A_timer_is_seen_armed_fired_and_cancelled()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var queue = new Workqueue("traced", null, system);
        using var events = new EventRecorder(KworkerEventSource.Keywords.Timer);
        var item = new DelayedWork<int>(0, static _ => { });
        queue.Queue(item, TimeSpan.FromMilliseconds(1500));
        Assert.True(item.Cancel());
        queue.Queue(item, TimeSpan.FromMilliseconds(1500));
        time.Advance(TimeSpan.FromSeconds(2));
        queue.Flush();
        long id = TracePoints.Identity(item);
        EventWrittenEventArgs[] seen = [.. events.All.Where(e => Equals(e.Payload![0], id))];
        Assert.Equal(["timer_start", "timer_cancel", "timer_start", "timer_expire_entry"], seen.Select(static e => e.EventName));
        Assert.Equal(["WorkTracingTests.A_timer_is_seen_armed_fired_and_cancelled lambda", 1500L, 1500L], seen[0].Payload!.Skip(1));
    }

    private static void AssertSeen(EventRecorder events, Work work, int times)
    {
        // The end of a run is told before the run is over, so who has flushed has it; the activation may be told later.
        long id = TracePoints.Identity(work);
        string[] kinds = ["workqueue_activate_work", "workqueue_execute_end", "workqueue_execute_start", "workqueue_queue_work"];
        var spin = new SpinWait();
        while (events.All.Count(e => Equals(e.Payload![0], id)) < kinds.Length * times)
            spin.SpinOnce();
        var seen = events.All.Where(e => Equals(e.Payload![0], id)).ToArray();
        Assert.Equal(kinds.SelectMany(kind => Enumerable.Repeat(kind, times)), seen.Select(static e => e.EventName).Order());
        Assert.Equal("traced", seen.First(static e => e.EventName == "workqueue_queue_work").Payload![2]);
    }
}
