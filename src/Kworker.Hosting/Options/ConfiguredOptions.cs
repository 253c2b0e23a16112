using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>
/// Options as the section <c>Kworker</c> of the configuration has them, where there is a configuration. It is read after what the program sets: who operates it has the last
/// word. A key that means nothing is an error, not ignored.
/// </summary>
internal static class ConfiguredOptions
{
    internal const string Root = "Kworker";
    internal const string Workqueues = "Workqueues";
    internal const string BackgroundQueues = "BackgroundQueues";
    internal const string PeriodicWorks = "PeriodicWorks";

    // The binder is generated: it takes the place of calls as they stand here, on a section that is there.

    private static IConfiguration? SectionOf(IServiceProvider services, string kind, string? name) =>
        services.GetService<IConfiguration>()?.GetSection($"{Root}:{kind}:{name}");

    private static void Strictly(BinderOptions binder) => binder.ErrorOnUnknownConfiguration = true;

    internal sealed class OfHost(IServiceProvider services) : IPostConfigureOptions<KworkerHostOptions>
    {
        public void PostConfigure(string? name, KworkerHostOptions options)
        {
            if (services.GetService<IConfiguration>() is { } configuration)
                configuration.GetSection(Root).Bind(options); // which has sections, too: for its keys see OptionsRules
        }
    }

    internal sealed class OfWorkqueue(IServiceProvider services) : IPostConfigureOptions<WorkqueueOptions>
    {
        public void PostConfigure(string? name, WorkqueueOptions options)
        {
            if (SectionOf(services, Workqueues, name) is { } section)
                section.Bind(options, Strictly);
        }
    }

    internal sealed class OfBackgroundQueue(IServiceProvider services) : IPostConfigureOptions<BackgroundQueueOptions>
    {
        public void PostConfigure(string? name, BackgroundQueueOptions options)
        {
            if (SectionOf(services, BackgroundQueues, name) is { } section)
                section.Bind(options, Strictly);
        }
    }

    internal sealed class OfPeriodicWork(IServiceProvider services) : IPostConfigureOptions<PeriodicWorkOptions>
    {
        public void PostConfigure(string? name, PeriodicWorkOptions options)
        {
            if (SectionOf(services, PeriodicWorks, name) is { } section)
                section.Bind(options, Strictly);
        }
    }
}
