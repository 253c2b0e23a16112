using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Hosting.Tests;

/// <summary>The health check, and what the watchdog writes to the log.</summary>
public sealed class HealthTests
{
    private readonly Completion _begun = new();
    private readonly Completion _go = new();

    private static Task<TestHost> StartAsync() => TestHost.StartAsync(static kworker =>
    {
        kworker.Services.AddHealthChecks().AddKworker();
        kworker.AddWorkqueue("emails");
    });

    private static async Task<HealthReportEntry> CheckAsync(TestHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["kworker"];

    [Fact]
    public async Task All_is_well()
    {
        await using TestHost host = await StartAsync();
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Healthy, null), (entry.Status, entry.Description));
        Assert.Equal(0L, entry.Data["unfinished"]);
    }

    [Fact]
    public async Task A_work_over_its_limit_is_degraded_and_logged_until_it_ends()
    {
        await using TestHost host = await StartAsync();
        var work = new Work<HealthTests>(this, static async (self, _) =>
        {
            self._begun.Complete();
            await self._go.WaitAsync();
        });
        host.Workqueue("emails").Queue(work);
        await _begun.WaitAsync();
        host.Time.Advance(TimeSpan.FromSeconds(6)); // the watchdog sees it,
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
        for (int i = 0; i < 6; i++)
            host.Time.Advance(TimeSpan.FromSeconds(6)); // and 30 seconds later it is over its limit

        string logged = await host.Log.WhenWrittenAsync(4);
        Assert.Contains($"{nameof(HealthTests)}.{nameof(A_work_over_its_limit_is_degraded_and_logged_until_it_ends)} lambda (queue emails) has been running for 30 s", logged, StringComparison.Ordinal);
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("lambda (queue emails) has been running for", entry.Description, StringComparison.Ordinal);
        _go.Complete();
        await work.FlushAsync();
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync(host)).Status);
    }

    [Fact]
    public async Task A_pool_that_stands_still_is_unhealthy()
    {
        // One that may run one worker, and does not look for those that block where nobody sees it.
        var time = new FakeTimeProvider();
        var log = new TestLog();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time, LogStalls = false, Processors = 1, Monitor = false });
        HostedSystem.Attach(system, log);
        var check = new KworkerHealthCheck(system, new KworkerHostOptions());
        var context = new HealthCheckContext { Registration = new HealthCheckRegistration("kworker", check, failureStatus: null, tags: null) };
        using var blocked = new ManualResetEventSlim();
        await using var queue = new Workqueue("emails", system: system);
        queue.Queue(new Work<HealthTests>(this, self =>
        {
            self._begun.Complete();
            blocked.Wait();
        }));
        await _begun.WaitAsync();
        var behind = new Work<object?>(null, static _ => { });
        queue.Queue(behind);
        for (int i = 0; i < 7; i++)
            time.Advance(TimeSpan.FromSeconds(6));
        string logged = await log.WhenWrittenAsync(3);
        HealthCheckResult result = await check.CheckHealthAsync(context);
        blocked.Set();
        await behind.FlushAsync();
        Assert.StartsWith("Pool n has begun nothing for 30 s while work waits", logged, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Unhealthy, result.Status);
        Assert.StartsWith("pool n has begun nothing for ", result.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, (await check.CheckHealthAsync(context)).Status);
    }

    [Fact]
    public async Task A_kthread_that_hangs_is_degraded()
    {
        await using TestHost host = await StartAsync();
        Kthread hung = Kthread.Run(
            static self =>
            {
                self._begun.Complete();
                self._go.Wait();
                return 0;
            },
            this,
            "hung",
            host.System);
        await _begun.WaitAsync();
        // It is in its wait a moment after that.
        HealthReportEntry entry;
        do
        {
            host.Time.Advance(TimeSpan.FromSeconds(6));
            entry = await CheckAsync(host);
        }
        while (entry.Status == HealthStatus.Healthy);
        _go.Complete();
        await hung.StopAsync();
        Assert.Equal(HealthStatus.Degraded, entry.Status);
        Assert.Contains("kthread hung has waited for", entry.Description, StringComparison.Ordinal);
        Assert.Contains("hung has waited for 120 s", await host.Log.WhenWrittenAsync(5), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Disabled_helpers_are_degraded()
    {
        await using TestHost host = await StartAsync();
        var work = new Work<object?>(null, static (_, _) => new ValueTask(UserModeHelper.DisableAsync().AsTask()));
        host.Workqueue("emails").Queue(work); // in the host's system
        await work.FlushAsync();
        HealthReportEntry entry = await CheckAsync(host);
        Assert.Equal((HealthStatus.Degraded, "usermode helpers are disabled"), (entry.Status, entry.Description));
    }
}
