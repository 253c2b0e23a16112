using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nsm;

/// <summary>What the status monitor says to its log.</summary>
internal static partial class NsmLog
{
    [LoggerMessage(201, LogLevel.Information, "nsm: our state is {State}; {Count} hosts of before are to be told")]
    public static partial void Started(ILogger logger, int state, int count);

    [LoggerMessage(202, LogLevel.Information, "nsm: {Address} has been told that we restarted")]
    public static partial void Notified(ILogger logger, IPAddress address);

    [LoggerMessage(203, LogLevel.Warning, "nsm: {Address} did not answer for {Minutes} min and is not told that we restarted: its locks are lost without its knowing")]
    public static partial void GivenUp(ILogger logger, IPAddress address, double minutes);

    [LoggerMessage(204, LogLevel.Debug, "nsm: {Address} cannot be reached: {Reason}")]
    public static partial void NotSent(ILogger logger, IPAddress address, string reason);

    [LoggerMessage(205, LogLevel.Information, "nsm: {Name} at {Address} has rebooted (state {State})")]
    public static partial void Rebooted(ILogger logger, string name, IPAddress address, int state);

    [LoggerMessage(206, LogLevel.Debug, "nsm: {Address} says that it has rebooted, but is not monitored")]
    public static partial void NotMonitored(ILogger logger, IPAddress address);

    [LoggerMessage(207, LogLevel.Warning, "nsm: {Address} may not ask for {Procedure}; only this machine's root may")]
    public static partial void Refused(ILogger logger, IPEndPoint address, string procedure);

    [LoggerMessage(208, LogLevel.Error, "nsm: what must be remembered could not be written")]
    public static partial void StoreFailed(ILogger logger, Exception exception);

    [LoggerMessage(209, LogLevel.Warning, "nsm: {Name} at {Address} is not monitored: it has too many names, or the limit is reached ({Count} are monitored)")]
    public static partial void TooMany(ILogger logger, string name, IPAddress address, int count);

    [LoggerMessage(210, LogLevel.Error, "nsm: telling of the reboot of {Name} failed")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string name);

    [LoggerMessage(211, LogLevel.Warning, "nsm: the machine's rpc.statd does not monitor {Address}: {Reason}")]
    public static partial void StatdRefused(ILogger logger, IPAddress address, string reason);

    [LoggerMessage(212, LogLevel.Error, "nsm: clients are not told that we restarted: {Command} {Status}")]
    public static partial void NotifyCommandFailed(ILogger logger, string command, string status);
}
