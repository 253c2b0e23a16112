using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class LatencyTests
{
    [Fact]
    public void How_long_items_wait_and_run_is_measured_while_somebody_asks()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, Log = static _ => { } });
        using Workqueue queue = Workqueue.Ordered("archive", system);
        var begun = new Completion();
        var end = new Completion();
        var first = new Work<int>(0, _ => Run());
        Work<int> second;
        do
            second = new Work<int>(0, _ => Run());
        while (LatencyTable.SharePlace(first, second)); // one of two that share a place is not measured
        using (KworkerSystem.MeasureLatencies())
        {
            queue.Queue(first);
            begun.Wait();
            queue.Queue(second);
            time.Advance(TimeSpan.FromSeconds(3)); // the first runs, the second waits
            end.Complete();
            begun.Wait();
            time.Advance(TimeSpan.FromSeconds(1)); // the second runs
            end.Complete();
            queue.Flush();
        }

        WorkqueueSnapshot measured = system.Snapshot().Workqueues.Single(static queue => queue.Name == "archive");
        Assert.Equal((2, 2), (measured.Waited!.Count, measured.Ran!.Count));
        Assert.Equal(TimeSpan.FromSeconds(3), measured.Waited.Total);
        Assert.Equal(TimeSpan.FromSeconds(4), measured.Ran.Total);
        Assert.InRange(measured.Ran.Percentile(1), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(3.8));
        Assert.InRange(measured.Ran.Percentile(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1.3));

        queue.Queue(first);
        begun.Wait();
        end.Complete();
        queue.Flush();
        WorkqueueSnapshot after = system.Snapshot().Workqueues.Single(static queue => queue.Name == "archive");
        Assert.Equal((2, 3), (after.Ran!.Count, after.Queued));
        Assert.Equal(0, after.Ran.Since(measured.Ran).Count);

        void Run()
        {
            begun.Complete();
            end.Wait();
        }
    }

    [Fact]
    public void An_async_item_runs_until_its_task_is_done()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, Log = static _ => { } });
        using var queue = new Workqueue("mail", null, system);
        var begun = new Completion();
        var end = new Completion();
        using (KworkerSystem.MeasureLatencies())
        {
            queue.Queue(new Work<int>(0, async (_, _) =>
            {
                begun.Complete();
                await end.WaitAsync();
            }));
            begun.Wait();
            time.Advance(TimeSpan.FromMinutes(2));
            end.Complete();
            queue.Flush();
        }

        Assert.Equal(TimeSpan.FromMinutes(2), system.Snapshot().Workqueues.Single(static queue => queue.Name == "mail").Ran!.Total);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(1_000_000)]
    [InlineData(86_400_000_000)]
    public void A_step_holds_what_is_shorter_than_its_bound_and_not_what_is_shorter_than_the_one_before(long microseconds)
    {
        var time = TimeSpan.FromMicroseconds(microseconds);
        int step = LatencyHistogram.StepOf(time);
        Assert.True(time < LatencyHistogram.BoundOf(step));
        Assert.True(step == 0 || time >= LatencyHistogram.BoundOf(step - 1));
    }

    [Fact]
    public async Task Helpers_and_what_became_of_them_are_in_the_snapshot()
    {
        await using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        await using var queue = new Workqueue("helpers", null, system);
        var call = new Work<int>(0, static _ => UserModeHelper.Call("/bin/sh", ["sh", "-c", "exit 3"], [], HelperWait.WaitProc));
        var missing = new Work<int>(0, static _ => UserModeHelper.Call("/no/such/program", ["program"], [], HelperWait.WaitProc));
        queue.Queue(call);
        await call.FlushAsync();
        queue.Queue(missing);
        await missing.FlushAsync();
        KworkerSnapshot snapshot = system.Snapshot();
        Assert.Equal([("/no/such/program", 2), ("/bin/sh", 0)], snapshot.RecentHelpers.Select(static helper => (helper.Path, helper.Status.Errno)));
        Assert.Equal(3, snapshot.RecentHelpers[1].Status.ExitCode);
        Assert.Empty(snapshot.Helpers);
        Assert.Equal(1, snapshot.Counters.HelpersStarted);
    }

    [Fact]
    public void A_kthread_says_what_it_waits_for_and_an_item_whom()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        using var mail = new Workqueue("mail", null, system);
        using var other = new Workqueue("other", null, system);
        var begun = new Completion();
        var end = new Completion();
        var slow = new Work<int>(0, _ =>
        {
            begun.Complete();
            end.Wait();
        });
        other.Queue(slow);
        begun.Wait();
        mail.Queue(new Work<int>(0, _ => slow.Flush()));
        Kthread kthread = Kthread.Run(static end =>
        {
            end.Wait();
            return 0;
        }, end, "patient", system);
        Assert.True(SpinWait.SpinUntil(() => system.Snapshot() is { Waits.Count: 1 } now && now.Kthreads.Any(static k => k.WaitsFor is not null), TimeSpan.FromMinutes(1)));
        KworkerSnapshot snapshot = system.Snapshot();
        Assert.Equal("a completion", snapshot.Kthreads.Single().WaitsFor);
        Assert.Equal("workqueue mail", snapshot.Waits.Single().In);
        Assert.Contains("Flush", snapshot.Waits.Single().Target, StringComparison.Ordinal);
        Assert.Contains(snapshot.Pools.SelectMany(static pool => pool.Threads), static thread => thread is { State: WorkerState.Blocked, Function: not null });
        end.CompleteAll();
        kthread.Stop();
    }
}
