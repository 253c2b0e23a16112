using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>The queues that every system has, and the calls that queue there: whose they are is settled by who calls.</summary>
public sealed class SystemQueueTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(90);

    public enum Kind
    {
        System,
        Long,
        HighPriority,
        Unbound,
    }

    private static Workqueue Get(Kind kind) => kind switch
    {
        Kind.System => Workqueue.System,
        Kind.Long => Workqueue.SystemLong,
        Kind.HighPriority => Workqueue.SystemHighPriority,
        _ => Workqueue.SystemUnbound,
    };

    [Theory]
    [InlineData(Kind.System, "events", "kworker/n:")]
    [InlineData(Kind.Long, "events_long", "kworker/n:")]
    [InlineData(Kind.HighPriority, "events_highpri", "kworker/h:")]
    [InlineData(Kind.Unbound, "events_unbound", "kworker/u:")]
    public void From_outside_they_are_the_default_systems(Kind kind, string name, string worker)
    {
        Workqueue queue = Get(kind);
        Assert.Same(queue, Get(kind));
        Assert.Equal(name, queue.Name);
        Seen seen = Run(work => Assert.True(queue.Queue(work)));
        Assert.Same(KworkerSystem.Default, seen.System);
        Assert.StartsWith(worker, seen.Thread, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Kind.System, "kworker/n:")]
    [InlineData(Kind.Long, "kworker/n:")]
    [InlineData(Kind.HighPriority, "kworker/h:")]
    [InlineData(Kind.Unbound, "kworker/u:")]
    public void From_an_item_of_another_system_they_are_that_systems(Kind kind, string worker)
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("test", null, system);
        Workqueue outside = Get(kind);
        Workqueue? inside = null;
        Seen seen = Run(work => queue.Queue(new Work<object?>(null, _ =>
        {
            inside = Get(kind);
            inside.Queue(work);
        })));
        Assert.NotSame(outside, inside);
        Assert.Same(system, seen.System);
        Assert.StartsWith(worker, seen.Thread, StringComparison.Ordinal);
    }

    [Fact]
    public void Schedule_queues_on_the_system_queue_of_the_default_system()
    {
        Assert.Equal("events", WhereItFails(KworkerSystem.Default, Workqueue.System, static work => Assert.True(work.Schedule())));
        Assert.Equal("events", WhereItFails(KworkerSystem.Default, Workqueue.System, static work => Assert.True(work.Schedule(TimeSpan.FromMilliseconds(1)))));
        Assert.Equal("events", WhereItFails(KworkerSystem.Default, Workqueue.System, static work => Assert.True(work.Schedule(TimeSpan.Zero))));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Schedule_by_an_item_or_a_kthread_of_another_system_stays_in_that_system(bool kthread)
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("test", null, system);
        void Inside(Action action)
        {
            if (kthread)
                Assert.True(Kthread.Run(_ => { action(); return 1; }, 0, "test", system).Stop() is 1 or -Errno.EINTR);
            else
                queue.Queue(new Work<object?>(null, _ => action()));
        }

        Workqueue? events = null;
        var made = new Completion();
        queue.Queue(new Work<object?>(null, _ =>
        {
            events = Workqueue.System;
            made.Complete();
        }));
        Assert.True(made.Wait(s_patience));
        Assert.NotSame(Workqueue.System, events);
        Assert.Equal("events", WhereItFails(system, events!, work => Go(() => work.Schedule())));
        Assert.Equal("events", WhereItFails(system, events!, work => Go(() => work.Schedule(TimeSpan.FromMilliseconds(1)))));

        // A kthread that is stopped before it began never does.
        void Go(Func<bool> schedule)
        {
            bool? answer = null;
            while (answer is null)
            {
                var over = new Completion();
                Inside(() =>
                {
                    answer = schedule();
                    over.Complete();
                });
                if (!kthread)
                    Assert.True(over.Wait(s_patience));
            }

            Assert.True(answer);
        }
    }

    [Fact]
    public void A_delay_given_by_an_item_of_another_system_is_by_that_systems_clock()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var queue = new Workqueue("test", null, system);
        var ran = new Completion();
        var work = new DelayedWork<Completion>(ran, static ran => ran.Complete());
        queue.Queue(new Work<object?>(null, _ => work.Schedule(TimeSpan.FromDays(1))));
        queue.Flush();
        Assert.True(work.IsPending);
        time.Advance(TimeSpan.FromHours(23));
        Assert.True(work.IsPending);
        time.Advance(TimeSpan.FromHours(1));
        Assert.True(ran.Wait(s_patience));
    }

    [Fact]
    public void What_is_scheduled_in_a_system_is_drained_with_it()
    {
        int ran = 0;
        var system = new KworkerSystem();
        using (var queue = new Workqueue("test", null, system))
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                for (int i = 0; i < 100; i++)
                    new Work<object?>(null, _ => Interlocked.Increment(ref ran)).Schedule();
            }));
        }

        system.Dispose();
        Assert.Equal(100, ran);
    }

    private sealed record Seen(KworkerSystem System, string Thread);

    private static Seen Run(Action<Work> queue)
    {
        Seen? seen = null;
        var ran = new Completion();
        queue(new Work<object?>(null, _ =>
        {
            seen = new Seen(KworkerSystem.Current, Thread.CurrentThread.Name ?? "");
            ran.Complete();
        }));
        Assert.True(ran.Wait(s_patience));
        return seen!;
    }

    /// <summary>Queues an item that throws, and says of which queue the report of that is.</summary>
    private static string WhereItFails(KworkerSystem system, Workqueue queue, Action<DelayedWork> schedule)
    {
        var reports = new BlockingCollection<Workqueue>();
        KworkerSystem? inside = null;
        var work = new DelayedWork<object?>(null, _ =>
        {
            inside = KworkerSystem.Current;
            throw new TimeZoneNotFoundException("on purpose");
        });
        void Report(object? sender, WorkExceptionEventArgs e)
        {
            if (ReferenceEquals(e.Work, work))
                reports.Add(e.Workqueue);
        }

        queue.UnhandledException += Report;
        try
        {
            schedule(work);
            Assert.True(reports.TryTake(out Workqueue? where, s_patience));
            Assert.Same(queue, where);
            Assert.Same(system, inside);
            return where.Name;
        }
        finally
        {
            queue.UnhandledException -= Report;
        }
    }
}
