using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting.Tests;

/// <summary>Works that are classes, with services of their own: queued by hand, or again and again.</summary>
public sealed class ScopedWorkTests
{
    [Fact]
    public async Task Each_execution_has_an_instance_and_a_scope_of_its_own()
    {
        var diary = new Diary();
        await using TestHost host = await TestHost.StartAsync(kworker =>
        {
            kworker.Services.AddSingleton(diary).AddScoped<Session>();
            kworker.AddWork<Report>("reports");
        });
        ScopedWork<Report> report = host.Services.GetRequiredService<ScopedWork<Report>>();
        Assert.Same(host.Workqueue("reports"), report.Workqueue);
        for (int i = 0; i < 3; i++)
        {
            Assert.True(report.Queue());
            await report.Item.FlushAsync();
        }

        Assert.Equal(3, diary.Sessions.Distinct().Count());
        Assert.All(diary.Sessions, static session => Assert.True(session.IsDisposed));
        Assert.Equal(3, diary.Disposed);
    }

    [Fact]
    public async Task It_waits_for_its_time_and_is_planned_anew()
    {
        var diary = new Diary();
        await using TestHost host = await TestHost.StartAsync(kworker =>
        {
            kworker.Services.AddSingleton(diary).AddScoped<Session>();
            kworker.AddWork<Report>();
        });
        ScopedWork<Report> report = host.Services.GetRequiredService<ScopedWork<Report>>();
        Assert.True(report.Queue(TimeSpan.FromSeconds(10)));
        Assert.False(report.Queue(TimeSpan.FromSeconds(10)));
        host.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.True(report.Modify(TimeSpan.FromSeconds(10)));
        host.Time.Advance(TimeSpan.FromSeconds(9));
        await host.System.WhenIdleAsync();
        Assert.Empty(diary.Sessions);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await host.System.WhenIdleAsync();
        Assert.Single(diary.Sessions);
    }

    [Fact]
    public async Task A_periodic_work_runs_again_after_its_end_also_after_a_failure()
    {
        var diary = new Diary { Fails = true };
        await using TestHost host = await TestHost.StartAsync(
            kworker =>
            {
                kworker.Services.AddSingleton(diary).AddScoped<Session>();
                kworker.AddPeriodicWork<Report>(TimeSpan.FromHours(1));
            },
            ("Kworker:PeriodicWorks:Report:Interval", "00:00:10"),
            ("Kworker:PeriodicWorks:Report:FirstDelay", "00:00:03"));
        host.Time.Advance(TimeSpan.FromSeconds(2));
        await host.System.WhenIdleAsync();
        Assert.Empty(diary.Sessions);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await host.System.WhenIdleAsync();
        Assert.Single(diary.Sessions);
        for (int i = 2; i <= 5; i++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(10));
            await host.System.WhenIdleAsync();
            Assert.Equal(i, diary.Sessions.Count);
        }

        Assert.Equal(Enumerable.Repeat("Report (queue works) failed: no paper", 5), host.Log.WithId(1));
    }

    [Fact]
    public async Task At_shutdown_a_periodic_work_ends_its_run_and_leaves_nothing_behind()
    {
        var diary = new Diary { Gate = new Completion() };
        await using TestHost host = await TestHost.StartAsync(kworker =>
        {
            kworker.Services.AddSingleton(diary).AddScoped<Session>();
            kworker.AddPeriodicWork<Report>(TimeSpan.FromSeconds(10), firstDelay: TimeSpan.Zero).AddPeriodicWork<Other>(TimeSpan.FromSeconds(10));
        });
        await diary.Begun.WaitAsync();
        Task stopping = host.StopAsync();
        diary.Gate.Complete();
        await stopping;
        Assert.Equal(1, diary.Disposed);
        Assert.Empty(host.Log.Texts);
    }

    private sealed class Report(Diary diary, Session session) : IScopedWork, IDisposable
    {
        public async Task ExecuteAsync(CancellationToken cancellationToken)
        {
            diary.Sessions.Enqueue(session);
            Assert.False(session.IsDisposed);
            diary.Begun.Complete();
            if (diary.Gate is { } gate)
                await gate.WaitAsync(cancellationToken);
            if (diary.Fails)
                throw new IOException("no paper");
        }

        public void Dispose() => diary.Disposed++;
    }

    private sealed class Other : IScopedWork
    {
        public Task ExecuteAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private sealed class Diary
    {
        public ConcurrentQueue<Session> Sessions { get; } = new();

        public Completion Begun { get; } = new();

        public Completion? Gate { get; init; }

        public bool Fails { get; init; }

        public int Disposed { get; set; }
    }

    private sealed class Session : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
