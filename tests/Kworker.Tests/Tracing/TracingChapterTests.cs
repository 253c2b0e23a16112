using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>The examples in docs/tracing.md are what the library really says.</summary>
[Collection(nameof(TracingTests))]
public sealed partial class TracingChapterTests
{
    private static readonly Completion s_begun = new();
    private static readonly Completion s_end = new();

    [Fact]
    public void The_snapshot_and_the_watchdogs_reports_are_real()
    {
        var time = new FakeTimeProvider();
        var log = new ConcurrentQueue<string>();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, Processors = 2, Log = log.Enqueue });
        using Workqueue archive = Workqueue.Ordered("archive", system);
        using var mail = new Workqueue("mail", new() { MaxActive = 1 }, system);
        using var disk = new KthreadWorker("disk", system);
        using var last = new AtEnd(s_end.CompleteAll);
        var reminder = new DelayedWork<int>(0, Mail.Remind);
        var trim = new KthreadDelayedWork<int>(0, Disk.Trim);
        archive.Queue(new Work<int>(0, Archive.Compact));
        s_begun.Wait();
        archive.Queue(new Work<int>(0, Archive.Index));
        mail.Queue(new Work<int>(0, Mail.SendAsync));
        s_begun.Wait();
        mail.Queue(new Work<int>(1, Mail.SendAsync));
        mail.Queue(reminder, TimeSpan.FromMinutes(5));
        disk.Queue(new KthreadWork<int>(0, Disk.Sync));
        disk.Queue(trim, TimeSpan.FromHours(1));
        s_begun.Wait();
        Until(() => system.Snapshot().Workqueues.SelectMany(static queue => queue.InFlight).Any(static item => item.IsAwaiting));
        for (int i = 0; i < 24; i++)
            time.Advance(TimeSpan.FromSeconds(1));
        AssertInChapter(system.Snapshot().ToString());
        Assert.Empty(log);
        for (int i = 0; i < 16; i++)
            time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(3, log.Count);
        foreach (string text in log)
            AssertInChapter(text);
        for (int i = 0; i < 100; i++)
            time.Advance(TimeSpan.FromSeconds(1));
        AssertInChapter(log.Last());
        reminder.Cancel();
        trim.CancelSync();
    }

    [Fact]
    public void The_deadlock_report_is_real()
    {
        using var system = new KworkerSystem();
        using Workqueue orders = Workqueue.Ordered("orders", system);
        using var disk = new KthreadWorker("disk", system);
        var flushes = new Completion();
        DeadlockException? report = null;
        var sync = new KthreadWork<int>(0, _ =>
        {
            flushes.Wait();
            Until(() => WaitGraph.Waits(RunOf(orders, system)));
            report = Assert.Throws<DeadlockException>(orders.Flush);
        });
        var bill = new Work<int>(0, _ =>
        {
            flushes.Complete();
            sync.Flush();
        });
        disk.Queue(sync);
        orders.Queue(bill);
        orders.Flush();
        AssertInChapter(report!.Message
            .Replace($"{nameof(TracingChapterTests)}.{nameof(The_deadlock_report_is_real)} lambda (workqueue", "Orders.Bill (workqueue", StringComparison.Ordinal)
            .Replace($"{nameof(TracingChapterTests)}.{nameof(The_deadlock_report_is_real)} lambda (kthread", "Disk.Sync (kthread", StringComparison.Ordinal));

        static object RunOf(Workqueue queue, KworkerSystem system)
        {
            system.RunLock.Enter();
            object? run = system.Registry.Workers.Select(worker => worker.CurrentQueue == queue ? worker.CurrentWork?.FindRun() : null).FirstOrDefault(static run => run is not null);
            system.RunLock.Exit();
            return run ?? new object();
        }
    }

    private static void AssertInChapter(string text)
    {
        Assert.True(Normal(Chapter.Text).Contains(Normal(text), StringComparison.Ordinal), $"docs/tracing.md does not have this:{Environment.NewLine}{text}");
    }

    /// <summary>Without what is different each time: numbers of threads, what the operating system says of them, and indentation.</summary>
    private static string Normal(string text)
    {
        text = Numbers().Replace(text.ReplaceLineEndings("\n"), "N");
        return System().Replace(text, "thread N");
    }

    [GeneratedRegex(@"(?<=thread )\d+|(?<=kworker/[a-z]+:)\d+|(?<=\()\d+(?=\))|(?<=workers=)\d+|(?<=kworker/[a-z]+:N? ?)\d+")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"thread N, state.*")]
    private static partial Regex System();

    private static void Until(Func<bool> condition)
    {
        var spin = new SpinWait();
        while (!condition())
            spin.SpinOnce();
    }

    private static class Archive
    {
        internal static void Compact(int _)
        {
            s_begun.Complete();
            s_end.Wait();
        }

        internal static void Index(int _)
        {
        }
    }

    private static class Mail
    {
        internal static async ValueTask SendAsync(int number, CancellationToken cancellationToken)
        {
            s_begun.Complete();
            await s_end.WaitAsync(CancellationToken.None);
        }

        internal static void Remind(int _)
        {
        }
    }

    private static class Disk
    {
        internal static void Sync(int _)
        {
            s_begun.Complete();
            s_end.Wait();
        }

        internal static void Trim(int _)
        {
        }
    }
}
