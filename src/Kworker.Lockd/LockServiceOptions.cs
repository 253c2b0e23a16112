using Microsoft.Extensions.Logging;

namespace Kworker.Lockd;

/// <summary>How locks are served. Not changed once a service has been made of it.</summary>
internal sealed class LockServiceOptions
{
    /// <summary>How long clients have after a start to get their locks back.</summary>
    public TimeSpan Grace { get; init; } = Kworker.Lockd.Grace.GracePeriod.Default;

    /// <summary>Who tells of reboots.</summary>
    public NsmMode Nsm { get; init; }

    /// <summary>Where monitored hosts and the state number are kept; null: in memory, so that a restart knows of nobody.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>Bounds and times of the lock manager.</summary>
    public Nlm.NlmServerOptions Nlm { get; init; } = new();

    /// <summary>The system that work runs on; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what there is to say; null for nothing.</summary>
    public ILogger? Logger { get; init; }
}
