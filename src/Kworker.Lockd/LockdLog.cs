using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd;

/// <summary>What the lock manager says to its log.</summary>
internal static partial class LockdLog
{
    [LoggerMessage(1, LogLevel.Information, "grace: locks may only be reclaimed for {Seconds} s from now")]
    public static partial void GraceBegins(ILogger logger, double seconds);

    [LoggerMessage(2, LogLevel.Information, "grace: over")]
    public static partial void GraceEnds(ILogger logger);

    [LoggerMessage(3, LogLevel.Warning, "locks of {Host} are refused: it cannot be monitored")]
    public static partial void NotMonitored(ILogger logger, string host);

    [LoggerMessage(4, LogLevel.Warning, "locks of {Address} are refused: {Count} hosts are known already")]
    public static partial void TooManyHosts(ILogger logger, IPAddress address, int count);

    [LoggerMessage(5, LogLevel.Information, "{Host} has rebooted: its locks are released")]
    public static partial void HostRebooted(ILogger logger, string host);

    [LoggerMessage(6, LogLevel.Information, "{Host} gives up its locks")]
    public static partial void HostFreesAll(ILogger logger, string host);

    [LoggerMessage(7, LogLevel.Warning, "{Host} does not answer that it was given the lock it waits for ({Reason}): the next in line gets it")]
    public static partial void GrantGivenUp(ILogger logger, string host, string reason);

    [LoggerMessage(8, LogLevel.Debug, "{Host}: {What} was not delivered: {Reason}")]
    public static partial void CallbackFailed(ILogger logger, string host, string what, string reason);

    [LoggerMessage(9, LogLevel.Error, "{Procedure} of {Client} failed")]
    public static partial void ProcedureFailed(ILogger logger, Exception exception, string procedure, IPEndPoint client);

    [LoggerMessage(10, LogLevel.Warning, "{Client} is no program of this machine: its notice of a reboot is not believed")]
    public static partial void ForeignNotify(ILogger logger, IPEndPoint client);

    [LoggerMessage(11, LogLevel.Debug, "{Host} waits for a lock; {Count} wait in all")]
    public static partial void Waits(ILogger logger, string host, int count);
}
