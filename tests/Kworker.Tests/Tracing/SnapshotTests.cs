using Kworker.Tests.UserModeHelpers;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class SnapshotTests
{
    [Fact]
    public void A_system_in_the_middle_of_things_reads_like_the_kernels_dump()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, Processors = 2, Log = static _ => { } });
        using Workqueue archive = Workqueue.Ordered("archive", system);
        using var mail = new Workqueue("mail", new() { MaxActive = 2 }, system);
        using var disk = new KthreadWorker("disk", system);
        var begun = new Completion();
        var end = new Completion();
        archive.Queue(new Work<Completion>(end, Compact));
        begun.Wait();
        for (int i = 0; i < 2; i++)
            mail.Queue(new Work<Completion>(end, Send));
        begun.Wait();
        begun.Wait();
        for (int i = 0; i < 3; i++)
            mail.Queue(new Work<Completion>(end, Send));
        disk.Queue(new KthreadWork<Completion>(end, Sync));
        begun.Wait();
        disk.Queue(new KthreadWork<Completion>(end, Sync));
        archive.Queue(new Work<Completion>(end, Compact));
        for (int i = 0; i < 24; i++)
            time.Advance(TimeSpan.FromSeconds(1));

        KworkerSnapshot snapshot = system.Snapshot();
        WorkqueueSnapshot queue = snapshot.Workqueues.Single(static queue => queue.Name == "mail");
        Assert.Equal((2, 2, 5, 2, 3), (queue.Active, queue.MaxActive, queue.Unfinished, queue.InFlight.Count, queue.Inactive.Count));
        string text = Normal(snapshot.ToString());
        Assert.Equal("""
            Showing busy workqueues and worker pools:
            workqueue archive: flags=WQ_UNBOUND|__WQ_ORDERED
              pwq u: active=1/1 unfinished=2
                in-flight: kworker/u:0:SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Compact for 18s
                inactive: SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Compact
            workqueue mail: flags=0
              pwq n: active=2/2 unfinished=5
                in-flight: kworker/n:N:SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Send for 18s, kworker/n:N:SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Send for 18s
                inactive: SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Send, SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Send, SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Send
            """, text.Split("\npool")[0]);
        Assert.Contains("\npool n: running=0/2 hung=0s workers=", text, StringComparison.Ordinal);
        Assert.Contains("\npool u: hung=0s workers=", text, StringComparison.Ordinal);
        Assert.EndsWith("""
            Showing kthreads:
            kthread disk: waits uninterruptible
              in-flight: SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Sync
              pending: SnapshotTests.A_system_in_the_middle_of_things_reads_like_the_kernels_dump.Sync
            """, text, StringComparison.Ordinal);
        end.CompleteAll();

        void Compact(Completion end) => Enter(end);
        void Send(Completion end) => Enter(end);
        void Sync(Completion end) => Enter(end);
        void Enter(Completion end)
        {
            begun.Complete();
            end.Wait();
        }
    }

    [Fact]
    public void Nothing_is_left_in_it_after_dispose()
    {
        var system = new KworkerSystem();
        var queue = new Workqueue("queue", null, system);
        var worker = new KthreadWorker("worker", system);
        for (int i = 0; i < 100; i++)
        {
            queue.Queue(new Work<int>(i, static _ => { }));
            queue.Queue(new Work<int>(i, static async (_, _) => await Task.Yield()));
            worker.Queue(new KthreadWork<int>(i, static _ => { }));
        }

        worker.Dispose();
        system.Dispose();
        var spin = new SpinWait();
        while (system.Registry.Workers.Length != 0 || system.Registry.Kthreads.Length != 0)
            spin.SpinOnce(); // their threads are on their way out
        KworkerSnapshot snapshot = system.Snapshot();
        Assert.Empty(snapshot.Workqueues);
        Assert.Empty(snapshot.Kthreads);
        Assert.Empty(snapshot.Helpers);
        Assert.All(snapshot.Pools, static pool => Assert.Equal((0, 0, false), (pool.Workers, pool.Threads.Count, pool.HasWaiting)));
        Assert.Equal(200, system.Registry.RunsOf(system.Normal));
        Assert.Equal("Showing busy workqueues and worker pools:", snapshot.ToString());
    }

    [Fact]
    public void What_waits_for_its_time_is_in_it()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var queue = new Workqueue("later", null, system);
        DelayedWork<int>[] items = [.. Enumerable.Range(1, 3).Select(static i => new DelayedWork<int>(i, static _ => { }))];
        foreach (DelayedWork<int> item in items)
            queue.Queue(item, TimeSpan.FromMinutes(item.Owner));
        items[1].Cancel();
        time.Advance(TimeSpan.FromSeconds(10));
        WorkqueueSnapshot snapshot = system.Snapshot().Workqueues.Single();
        Assert.Equal([50, 170], snapshot.Delayed.Select(static item => (int)Math.Round(item.DueIn!.Value.TotalSeconds)));
        Assert.Contains("    delayed: SnapshotTests.What_waits_for_its_time_is_in_it lambda in 50s, ", system.Snapshot().ToString(), StringComparison.Ordinal);
        Assert.Single(system.Snapshot(maxItems: 1).Workqueues.Single().Delayed);
        items[0].Cancel();
        items[2].Cancel();
    }

    [Fact]
    public void What_waits_for_its_time_is_in_it_on_the_systems_clock_too()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("later", null, system);
        var item = new DelayedWork<int>(0, static _ => { });
        queue.Queue(item, TimeSpan.FromHours(1));
        Assert.InRange(Assert.Single(system.Snapshot().Workqueues.Single().Delayed).DueIn!.Value.TotalMinutes, 59, 60.1);
        item.Cancel();
        Assert.Empty(system.Snapshot().Workqueues.Single().Delayed);
    }

    [Fact]
    public void What_waits_for_its_time_on_a_kthread_worker_is_under_it()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var disk = new KthreadWorker("disk", system);
        using var other = new KthreadWorker("other", system);
        disk.Flush(); // its thread has begun
        other.Flush();
        KthreadDelayedWork<int>[] items = [.. Enumerable.Range(0, 3).Select(static i => new KthreadDelayedWork<int>(i, static _ => { }))];
        for (int i = 0; i < items.Length; i++)
            disk.Queue(items[i], TimeSpan.FromMinutes(i + 1));
        items[1].CancelSync();
        time.Advance(TimeSpan.FromSeconds(10));
        KworkerSnapshot snapshot = system.Snapshot();
        Assert.Equal([50, 170], Of(snapshot, "disk").Delayed.Select(static item => (int)Math.Round(item.DueIn!.Value.TotalSeconds)));
        Assert.Empty(Of(snapshot, "disk").Pending);
        Assert.Empty(Of(snapshot, "other").Delayed);
        Assert.Contains("\n  delayed: SnapshotTests.What_waits_for_its_time_on_a_kthread_worker_is_under_it lambda in 50s, ", snapshot.ToString(), StringComparison.Ordinal);
        Assert.Single(Of(system.Snapshot(maxItems: 1), "disk").Delayed);
        items[0].CancelSync();
        items[2].CancelSync();
        Assert.Empty(Of(system.Snapshot(), "disk").Delayed);

        static KthreadSnapshot Of(KworkerSnapshot snapshot, string name) => snapshot.Kthreads.Single(kthread => kthread.Name == name);
    }

    [Fact]
    public void A_helper_that_runs_is_in_it()
    {
        if (!OperatingSystem.IsLinux())
            return;
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        using var queue = new Workqueue("helpers", null, system);
        DirectoryInfo directory = Directory.CreateTempSubdirectory("kworker-snapshot-");
        string gate = Path.Combine(directory.FullName, "gate");
        Assert.Equal(0, NativeCalls.MakeFifo(gate, 0x180));
        HelperStatus status = default;
        var call = new Work<string>(gate, gate => status = UserModeHelper.Call("/bin/sh", ["sh", "-c", ": < \"$1\"", "sh", gate], [], HelperWait.WaitExec));
        queue.Queue(call);
        call.Flush();
        Assert.Equal(0, status.Raw);
        try
        {
            KworkerSnapshot snapshot = system.Snapshot();
            HelperSnapshot helper = Assert.Single(snapshot.Helpers);
            Assert.Equal("/bin/sh", helper.Path);
            Assert.EndsWith($"{Environment.NewLine}Showing usermode helpers: {helper.ProcessId}", snapshot.ToString(), StringComparison.Ordinal);
            MeterReading.AssertCounts("kworker.helpers.running", system, static system => system.Helpers.Running);
            MeterReading.AssertCounts("kworker.helpers.started", system, static system => system.Counters.Helpers);
        }
        finally
        {
            HelperPrograms.OpenGate(gate).Dispose();
        }

        var spin = new SpinWait();
        while (system.Snapshot().Helpers.Count != 0)
            spin.SpinOnce();
        Assert.DoesNotContain("helpers: ", system.Snapshot().ToString(), StringComparison.Ordinal);
        directory.Delete(recursive: true);
    }

    [Fact]
    public void Counts_are_exact_however_few_are_listed()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 1 });
        using Workqueue queue = Workqueue.Ordered("long", system);
        var end = new Completion();
        for (int i = 0; i < 10_000; i++)
            queue.Queue(new Work<Completion>(end, static end => end.Wait()));
        WorkqueueSnapshot snapshot = system.Snapshot(maxItems: 10).Workqueues.Single();
        Assert.Equal(10_000, snapshot.Unfinished);
        Assert.InRange(snapshot.Inactive.Count, 9, 10);
        end.CompleteAll();
    }

    [Fact]
    public void It_may_be_taken_at_any_time()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("queue", null, system);
        int left = 2_000;
        var done = new Completion();
        Work<int>[] chain = new Work<int>[8];
        for (int i = 0; i < chain.Length; i++)
        {
            chain[i] = i % 2 == 0
                ? new Work<int>(i, Step)
                : new Work<int>(i, async (i, _) =>
                {
                    await Task.Yield();
                    Step(i);
                });
        }

        void Step(int i)
        {
            if (Interlocked.Decrement(ref left) <= 0)
                done.CompleteAll();
            else
                queue.Queue(chain[(i + 1) % chain.Length]);
        }

        foreach (Work<int> item in chain)
            queue.Queue(item);
        while (!done.IsDone)
        {
            WorkqueueSnapshot seen = system.Snapshot().Workqueues.Single();
            Assert.InRange(seen.InFlight.Count + seen.Pending.Count, 0, seen.Unfinished);
            Assert.True(seen.Unfinished <= chain.Length * 2);
        }
    }

    /// <summary>Without what is different each time: numbers of workers of a pool, and of threads.</summary>
    private static string Normal(string text) =>
        System.Text.RegularExpressions.Regex.Replace(System.Text.RegularExpressions.Regex.Replace(text, @"kworker/n:\d+:", "kworker/n:N:"), @" \(\d+\)", "");
}
