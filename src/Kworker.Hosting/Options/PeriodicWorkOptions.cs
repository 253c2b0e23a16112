namespace Kworker.Hosting;

/// <summary>When a periodic work runs.</summary>
public sealed class PeriodicWorkOptions
{
    /// <summary>From the end of one run to the beginning of the next.</summary>
    public TimeSpan Interval { get; set; }

    /// <summary>From the host's start to the first run; the interval unless given.</summary>
    public TimeSpan? FirstDelay { get; set; }
}
