using Kworker;
using Kworker.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds Kworker to the health checks.</summary>
public static class KworkerHealthChecksBuilderExtensions
{
    /// <summary>
    /// Checks the host's <see cref="KworkerSystem"/>. A pool that begins nothing while work waits is unhealthy; a work that runs, or a kthread that waits, for longer than its limit, and
    /// usermode helpers that are disabled, are degraded. The limits are those of <see cref="KworkerHostOptions"/>.
    /// </summary>
    /// <param name="builder">The health checks.</param>
    /// <param name="name">The check's name.</param>
    /// <param name="failureStatus">Instead of unhealthy.</param>
    /// <param name="tags">The check's tags.</param>
    public static IHealthChecksBuilder AddKworker(
        this IHealthChecksBuilder builder, string name = "kworker", HealthStatus? failureStatus = null, IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddKworker();
        return builder.Add(new HealthCheckRegistration(
            name,
            static provider => new KworkerHealthCheck(provider.GetRequiredService<KworkerSystem>(), provider.GetRequiredService<IOptions<KworkerHostOptions>>().Value),
            failureStatus,
            tags));
    }
}
