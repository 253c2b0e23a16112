using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Kworker.Hosting;

/// <summary>What a host has of Kworker; see <see cref="KworkerServiceCollectionExtensions.AddKworker"/>.</summary>
public sealed class KworkerBuilder
{
    /// <summary>The name of the background queue that there is without being added.</summary>
    public const string DefaultBackgroundQueue = "background";

    /// <summary>The name of the workqueue that works are put on unless another is named.</summary>
    public const string DefaultWorkqueue = "works";

    /// <summary>Of the meter and of the activity source.</summary>
    private const string Telemetry = "Kworker";

    internal KworkerBuilder(IServiceCollection services) => Services = services;

    /// <summary>The application's services.</summary>
    public IServiceCollection Services { get; }

    /// <summary>
    /// Adds a workqueue, injected by its name: <c>[FromKeyedServices("emails")] Workqueue emails</c>. Added again, it is configured further. Section
    /// <c>Kworker:Workqueues:NAME</c> of the configuration overrides what is set here.
    /// </summary>
    public KworkerBuilder AddWorkqueue(string name, Action<WorkqueueOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        AddOptions(ConfiguredOptions.Workqueues, name, configure);
        Services.TryAddKeyedSingleton(name, static (provider, key) => new Workqueue(
            (string)key!, provider.GetRequiredService<IOptionsMonitor<WorkqueueOptions>>().Get((string)key!), provider.GetRequiredService<KworkerSystem>()));
        return this;
    }

    /// <summary>Configures the background queue that is injected as <see cref="IBackgroundQueue"/> without a name.</summary>
    public KworkerBuilder AddBackgroundQueue(Action<BackgroundQueueOptions> configure) => AddBackgroundQueue(DefaultBackgroundQueue, configure);

    /// <summary>
    /// Adds a background queue, injected by its name: <c>[FromKeyedServices("images")] IBackgroundQueue images</c>. Added again, it is configured further. Section
    /// <c>Kworker:BackgroundQueues:NAME</c> of the configuration overrides what is set here.
    /// </summary>
    public KworkerBuilder AddBackgroundQueue(string name, Action<BackgroundQueueOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        AddOptions(ConfiguredOptions.BackgroundQueues, name, configure);
        Services.TryAddKeyedSingleton<IBackgroundQueue>(name, static (provider, key) => provider.GetRequiredService<BackgroundQueues>().Make((string)key!));
        return this;
    }

    /// <summary>
    /// Adds a work that is made of the services of a scope of its own for each execution; queued by a <see cref="ScopedWork{TWork}"/>, which is injected.
    /// </summary>
    /// <typeparam name="TWork">The work; a scoped service, unless registered otherwise.</typeparam>
    /// <param name="workqueue">The workqueue that it runs on; added unless it is there.</param>
    public KworkerBuilder AddWork<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TWork>(string workqueue = DefaultWorkqueue)
        where TWork : class, IScopedWork
    {
        AddWorkqueue(workqueue);
        Services.TryAddScoped<TWork>();
        Services.TryAddSingleton(provider => new ScopedWork<TWork>(
            provider.GetRequiredService<IServiceScopeFactory>(), provider.GetRequiredKeyedService<Workqueue>(workqueue)));
        return this;
    }

    /// <summary>
    /// Runs a work again and again while the host runs, each time in a scope of its own, and never while it still runs: the interval is from the end of one run to the beginning
    /// of the next. An exception is logged, and the next run comes all the same.
    /// </summary>
    /// <typeparam name="TWork">The work; a scoped service, unless registered otherwise. Its name (without namespace) is that of its section.</typeparam>
    /// <param name="interval">
    /// Unless section <c>Kworker:PeriodicWorks:NAME</c> of the configuration says otherwise; it may also have a <see cref="PeriodicWorkOptions.FirstDelay"/>.
    /// </param>
    /// <param name="firstDelay">From the host's start to the first run; the interval unless given.</param>
    /// <param name="workqueue">The workqueue that it runs on; added unless it is there.</param>
    public KworkerBuilder AddPeriodicWork<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TWork>(
        TimeSpan interval, TimeSpan? firstDelay = null, string workqueue = DefaultWorkqueue)
        where TWork : class, IScopedWork
    {
        AddWorkqueue(workqueue);
        AddOptions<PeriodicWorkOptions>(ConfiguredOptions.PeriodicWorks, typeof(TWork).Name, options =>
        {
            options.Interval = interval;
            options.FirstDelay = firstDelay;
        });
        Services.TryAddScoped<TWork>();
        Services.AddSingleton<IHostedService>(provider => new PeriodicWork<TWork>(
            provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredKeyedService<Workqueue>(workqueue),
            provider.GetRequiredService<IOptionsMonitor<PeriodicWorkOptions>>().Get(typeof(TWork).Name)));
        return this;
    }

    /// <summary>
    /// Runs a kthread from the host's start to its end, where it is stopped (<see cref="Kthread.Stop"/>) and waited for. If an exception leaves it before that, it is logged, and
    /// the host does what it does for a background service (<see cref="HostOptions.BackgroundServiceExceptionBehavior"/>): ends, unless told otherwise.
    /// </summary>
    /// <typeparam name="TService">A service, given to the function; for services of a scope take <see cref="IServiceScopeFactory"/>.</typeparam>
    /// <param name="name">Its name.</param>
    /// <param name="function">Its body: loops until <see cref="Kthread.ShouldStop"/>.</param>
    [OverloadResolutionPriority(1)] // for a body that only throws
    public KworkerBuilder AddKthread<TService>(string name, Func<TService, int> function)
        where TService : notnull
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddKthread(name, provider =>
        {
            TService service = provider.GetRequiredService<TService>();
            return () => new ValueTask<int>(function(service));
        });
    }

    /// <inheritdoc cref="AddKthread{TService}(string, Func{TService, int})"/>
    public KworkerBuilder AddKthread<TService>(string name, Func<TService, ValueTask<int>> function)
        where TService : notnull
    {
        ArgumentNullException.ThrowIfNull(function);
        return AddKthread(name, provider =>
        {
            TService service = provider.GetRequiredService<TService>();
            return () => function(service);
        });
    }

    /// <summary>
    /// Exports what Kworker measures and traces with OpenTelemetry: the meter and the activity source <c>Kworker</c>, in whatever tracing and metrics the application has
    /// (<c>AddOpenTelemetry().WithTracing(…).WithMetrics(…)</c>). Each run of a work is a span, the child of the one in which it was queued.
    /// </summary>
    public KworkerBuilder WithOpenTelemetry()
    {
        Services.ConfigureOpenTelemetryTracerProvider(static tracing => tracing.AddSource(Telemetry));
        Services.ConfigureOpenTelemetryMeterProvider(static metrics => metrics.AddMeter(Telemetry));
        return this;
    }

    private KworkerBuilder AddKthread(string name, Func<IServiceProvider, Func<ValueTask<int>>> function)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Services.AddSingleton<IHostedService>(provider => ActivatorUtilities.CreateInstance<KthreadService>(provider, name, function(provider)));
        return this;
    }

    private void AddOptions<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(string section, string name, Action<TOptions>? configure)
        where TOptions : class
    {
        OptionsBuilder<TOptions> options = Services.AddOptions<TOptions>(name).ValidateOnStart();
        if (configure is not null)
            options.Configure(configure);
        Services.AddSingleton(new KnownSection(section, name));
    }
}
