using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Kworker.Hosting;

/// <summary>What a look at the system finds to be wrong now. Durations are the watchdog's: nothing is measured for this.</summary>
internal sealed class KworkerHealthCheck(KworkerSystem system, KworkerHostOptions limits) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        KworkerSnapshot snapshot = system.Snapshot(maxItems: 0);
        List<string> stalled =
        [
            .. snapshot.Pools.Where(pool => pool.HasWaiting && IsOver(pool.Hung, limits.PoolStallLimit))
                .Select(static pool => $"pool {pool.Name} has begun nothing for {Seconds(pool.Hung)} while work waits"),
        ];
        List<string> slow =
        [
            .. snapshot.Workqueues.SelectMany(static queue => queue.InFlight, static (queue, item) => (queue, item))
                .Where(found => IsOver(found.item.Duration, limits.LongItemLimit))
                .Select(static found => $"{found.item.Function} (queue {found.queue.Name}) has been running for {Seconds(found.item.Duration)}"),
            .. snapshot.Kthreads.Where(kthread => IsOver(kthread.Waited, limits.HungTaskLimit))
                .Select(static kthread => $"kthread {kthread.Name} has waited for {Seconds(kthread.Waited)}"),
        ];
        if (snapshot.AreHelpersDisabled)
            slow.Add("usermode helpers are disabled");

        HealthStatus status = stalled.Count > 0 ? context.Registration.FailureStatus : slow.Count > 0 ? HealthStatus.Degraded : HealthStatus.Healthy;
        string? description = stalled.Count + slow.Count == 0 ? null : string.Join("; ", stalled.Concat(slow));
        var data = new Dictionary<string, object>
        {
            ["unfinished"] = snapshot.Workqueues.Sum(static queue => (long)queue.Unfinished),
            ["workers"] = snapshot.Pools.Sum(static pool => pool.Workers),
        };
        return Task.FromResult(new HealthCheckResult(status, description, exception: null, data));
    }

    private static bool IsOver(TimeSpan? duration, TimeSpan limit) => limit > TimeSpan.Zero && duration >= limit;

    private static string Seconds(TimeSpan? duration) => string.Create(CultureInfo.InvariantCulture, $"{duration.GetValueOrDefault().TotalSeconds:0} s");
}
