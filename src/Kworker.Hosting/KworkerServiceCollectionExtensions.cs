using Kworker;
using Kworker.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts Kworker into a host.</summary>
public static class KworkerServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="KworkerSystem"/> that lives as long as the host, is <see cref="KworkerSystem.Default"/> meanwhile, follows the <see cref="TimeProvider"/> among the services,
    /// writes to their loggers, and is drained at shutdown within the host's timeout; and an <see cref="IBackgroundQueue"/> on it. May be called more than once.
    /// <para>
    /// Settings are taken from the section <c>Kworker</c> of the configuration, which has the last word over what is set in code. What is wrong there, names that nobody
    /// knows included, fails the host's start.
    /// </para>
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Settings; the configuration may override them.</param>
    /// <returns>For queues, works, kthreads.</returns>
    public static KworkerBuilder AddKworker(this IServiceCollection services, Action<KworkerHostOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var builder = new KworkerBuilder(services);
        if (configure is not null)
            services.Configure(configure);
        if (services.Any(static service => service.ServiceType == typeof(HostedSystem)))
            return builder;

        services.AddOptions<KworkerHostOptions>().ValidateOnStart();
        services.AddSingleton<IPostConfigureOptions<KworkerHostOptions>, ConfiguredOptions.OfHost>();
        services.AddSingleton<IPostConfigureOptions<WorkqueueOptions>, ConfiguredOptions.OfWorkqueue>();
        services.AddSingleton<IPostConfigureOptions<BackgroundQueueOptions>, ConfiguredOptions.OfBackgroundQueue>();
        services.AddSingleton<IPostConfigureOptions<PeriodicWorkOptions>, ConfiguredOptions.OfPeriodicWork>();
        services.AddSingleton<IValidateOptions<KworkerHostOptions>, OptionsRules.OfHost>();
        services.AddSingleton<IValidateOptions<WorkqueueOptions>, OptionsRules.OfWorkqueue>();
        services.AddSingleton<IValidateOptions<BackgroundQueueOptions>, OptionsRules.OfBackgroundQueue>();
        services.AddSingleton<IValidateOptions<PeriodicWorkOptions>, OptionsRules.OfPeriodicWork>();
        services.AddSingleton<HostedSystem>();
        services.AddSingleton(static provider => provider.GetRequiredService<HostedSystem>().System);
        services.AddSingleton<BackgroundQueues>();
        // Before all that is added by what is returned: hosted services end in the reverse order.
        services.AddSingleton<IHostedService, KworkerService>();
        builder.AddBackgroundQueue(KworkerBuilder.DefaultBackgroundQueue);
        services.TryAddSingleton(static provider => provider.GetRequiredKeyedService<IBackgroundQueue>(KworkerBuilder.DefaultBackgroundQueue));
        return builder;
    }
}
