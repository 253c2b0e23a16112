using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>What the program itself says to its log.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(1, LogLevel.Warning, "Some calls still ran after {Seconds} s and are left to themselves; what clients wrote is synced")]
    public static partial void DrainTimeUp(ILogger logger, double seconds);
}
