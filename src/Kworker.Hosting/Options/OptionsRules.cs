using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>What options must be like. The host asks at its start, and fails.</summary>
internal static class OptionsRules
{
    private static readonly string[] s_sections = [ConfiguredOptions.Workqueues, ConfiguredOptions.BackgroundQueues, ConfiguredOptions.PeriodicWorks];

    private static readonly string[] s_hostKeys =
    [
        nameof(KworkerHostOptions.ShutdownGrace),
        nameof(KworkerHostOptions.ReplaceDefault),
        nameof(KworkerHostOptions.PoolStallLimit),
        nameof(KworkerHostOptions.LongItemLimit),
        nameof(KworkerHostOptions.HungTaskLimit),
        nameof(KworkerHostOptions.RecordStacks),
    ];

    private static ValidateOptionsResult Result(List<string> failures) =>
        failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

    private static bool Contains(IEnumerable<string> names, string name) => names.Contains(name, StringComparer.OrdinalIgnoreCase);

    internal sealed class OfHost(IServiceProvider services, IOptions<HostOptions> host, IEnumerable<KnownSection> known) : IValidateOptions<KworkerHostOptions>
    {
        public ValidateOptionsResult Validate(string? name, KworkerHostOptions options)
        {
            List<string> failures = [];
            if (options.ShutdownGrace is { } grace)
            {
                TimeSpan timeout = host.Value.ShutdownTimeout;
                if (grace < TimeSpan.Zero)
                    failures.Add($"Kworker:ShutdownGrace is {grace}: it must not be negative.");
                else if (timeout >= TimeSpan.Zero && grace > timeout)
                    failures.Add($"Kworker:ShutdownGrace is {grace}: more than the host's ShutdownTimeout, {timeout}.");
            }

            CheckLimit(failures, nameof(options.PoolStallLimit), options.PoolStallLimit);
            CheckLimit(failures, nameof(options.LongItemLimit), options.LongItemLimit);
            CheckLimit(failures, nameof(options.HungTaskLimit), options.HungTaskLimit);
            CheckKeys(failures);
            return Result(failures);
        }

        private static void CheckLimit(List<string> failures, string key, TimeSpan limit)
        {
            if (limit <= TimeSpan.Zero && limit != Timeout.InfiniteTimeSpan)
                failures.Add($"Kworker:{key} is {limit}: it must be positive, or {Timeout.InfiniteTimeSpan} for never.");
        }

        /// <summary>A setting for what is not there, because of a slip of the pen, would do nothing and say nothing.</summary>
        private void CheckKeys(List<string> failures)
        {
            if (services.GetService<IConfiguration>()?.GetSection(ConfiguredOptions.Root) is not { } root)
                return;
            foreach (IConfigurationSection section in root.GetChildren())
            {
                if (!Contains(s_sections, section.Key))
                {
                    if (!Contains(s_hostKeys, section.Key))
                        failures.Add($"{section.Path} means nothing. Known are {string.Join(", ", s_hostKeys.Concat(s_sections))}.");
                    continue;
                }

                string[] names = [.. known.Where(item => item.Kind.Equals(section.Key, StringComparison.OrdinalIgnoreCase)).Select(static item => item.Name).Distinct()];
                foreach (IConfigurationSection child in section.GetChildren())
                {
                    if (!Contains(names, child.Key))
                        failures.Add($"{child.Path} is about nothing that has been added. There {(names.Length == 0 ? "is none" : $"are {string.Join(", ", names)}")}.");
                }
            }
        }
    }

    internal sealed class OfWorkqueue : IValidateOptions<WorkqueueOptions>
    {
        public ValidateOptionsResult Validate(string? name, WorkqueueOptions options)
        {
            List<string> failures = [];
            if (options.MaxActive < 1)
                failures.Add($"Workqueue {name}: MaxActive is {options.MaxActive}: it must be at least 1.");
            if (options.HighPriority && (options.Unbound || options.Ordered))
                failures.Add($"Workqueue {name}: HighPriority excludes Unbound and Ordered.");
            return Result(failures);
        }
    }

    internal sealed class OfBackgroundQueue : IValidateOptions<BackgroundQueueOptions>
    {
        public ValidateOptionsResult Validate(string? name, BackgroundQueueOptions options)
        {
            List<string> failures = [];
            if (options.MaxActive < 1)
                failures.Add($"Background queue {name}: MaxActive is {options.MaxActive}: it must be at least 1.");
            if (options.Capacity < 0)
                failures.Add($"Background queue {name}: Capacity is {options.Capacity}: it must not be negative.");
            if (!Enum.IsDefined(options.FullMode))
                failures.Add($"Background queue {name}: FullMode is {options.FullMode}: it must be Wait, Reject or DropOldest.");
            if (options is { FullMode: BackgroundQueueFullMode.DropOldest, Capacity: 0 })
                failures.Add($"Background queue {name}: with Capacity 0 nothing waits that FullMode DropOldest could drop.");
            return Result(failures);
        }
    }

    internal sealed class OfPeriodicWork : IValidateOptions<PeriodicWorkOptions>
    {
        public ValidateOptionsResult Validate(string? name, PeriodicWorkOptions options)
        {
            List<string> failures = [];
            if (options.Interval <= TimeSpan.Zero)
                failures.Add($"Periodic work {name}: Interval is {options.Interval}: it must be positive.");
            if (options.FirstDelay < TimeSpan.Zero)
                failures.Add($"Periodic work {name}: FirstDelay is {options.FirstDelay}: it must not be negative.");
            return Result(failures);
        }
    }
}
