using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Kworker.Hosting;

/// <summary>Makes the host's system, with its clock, and lets it write to its log.</summary>
internal sealed class HostedSystem
{
    public HostedSystem(IOptions<KworkerHostOptions> options, ILogger<KworkerSystem> logger, IServiceProvider services)
    {
        KworkerHostOptions settings = options.Value;
        System = new KworkerSystem(new KworkerSystemOptions
        {
            TimeProvider = services.GetService<TimeProvider>() ?? TimeProvider.System,
            Log = text => KworkerLog.Said(logger, text),
            LogStalls = false,
            PoolStallLimit = settings.PoolStallLimit,
            LongItemLimit = settings.LongItemLimit,
            HungTaskLimit = settings.HungTaskLimit,
            RecordStacks = settings.RecordStacks,
        });
        Attach(System, logger);
        if (settings.ReplaceDefault)
            DefaultSystem.Push(System);
    }

    internal KworkerSystem System { get; }

    /// <summary>What nobody else handles, and what the watchdog finds, goes to the log.</summary>
    internal static void Attach(KworkerSystem system, ILogger logger)
    {
        system.UnhandledException += (_, e) => KworkerLog.WorkFailed(logger, e.Exception, e.Work.ToString(), e.Workqueue.Name);
        system.Stalled += (_, e) => Report(logger, e);
    }

    private static void Report(ILogger logger, WatchdogEventArgs e)
    {
        double seconds = e.Duration.TotalSeconds;
        switch (e.Kind)
        {
            case WatchdogKind.PoolStalled:
                KworkerLog.PoolStalled(logger, e.Subject, seconds, e.Snapshot);
                break;
            case WatchdogKind.ItemRunsLong:
                KworkerLog.ItemRunsLong(logger, e.Function, e.Queue, seconds, e.Subject, e.Where);
                break;
            default:
                KworkerLog.KthreadHung(logger, e.Subject, seconds, e.Function, e.Where);
                break;
        }
    }
}
