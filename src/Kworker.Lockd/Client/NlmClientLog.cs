using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Client;

/// <summary>What the client side of locking says to its log; in the kernel's words where it has them.</summary>
internal static partial class NlmClientLog
{
    [LoggerMessage(80, LogLevel.Error, "lockd: unable to spawn reclaimer thread. Locks for {Server} won't be reclaimed! ({Error})")]
    public static partial void NoReclaimer(ILogger logger, string server, string error);

    [LoggerMessage(81, LogLevel.Information, "lockd: {Server} has rebooted (state {State}): reclaiming locks")]
    public static partial void Reclaiming(ILogger logger, string server, int state);

    [LoggerMessage(82, LogLevel.Information, "lockd: done reclaiming {Count} locks of {Server}")]
    public static partial void Reclaimed(ILogger logger, string server, int count);

    [LoggerMessage(83, LogLevel.Warning, "lockd: failed to reclaim lock for pid {Svid} on {Server}: range {Range} ({Reason})")]
    public static partial void Lost(ILogger logger, string server, int svid, string range, string reason);

    [LoggerMessage(84, LogLevel.Warning, "lockd: lock for pid {Svid} on {Server}, range {Range}, was lost and taken anew: somebody else may have held it")]
    public static partial void TakenAnew(ILogger logger, string server, int svid, string range);

    [LoggerMessage(85, LogLevel.Warning, "lockd: cannot monitor {Server}: no locks")]
    public static partial void NotMonitored(ILogger logger, string server);

    [LoggerMessage(86, LogLevel.Warning, "lockd: GRANTED from {Caller} is not for anybody who waits: denied")]
    public static partial void NotWaitedFor(ILogger logger, IPEndPoint caller);

    [LoggerMessage(87, LogLevel.Warning, "lockd: server {Server} not responding ({Reason}), still trying")]
    public static partial void NotResponding(ILogger logger, string server, string reason);

    [LoggerMessage(88, LogLevel.Warning, "lockd: another lock manager runs on this machine (port {Port}): what is waited for is asked for again each {Seconds} s")]
    public static partial void NotOurs(ILogger logger, int port, double seconds);

    [LoggerMessage(91, LogLevel.Debug, "lockd: no other program {Program} on this machine: {Reason}")]
    public static partial void NoOther(ILogger logger, uint program, string reason);

    [LoggerMessage(89, LogLevel.Warning, "lockd: {Server}: {What} of a lock that nobody wants any more failed: {Reason}")]
    public static partial void NotGivenBack(ILogger logger, string server, string what, string reason);

    [LoggerMessage(90, LogLevel.Warning, "lockd: {Caller} is no program of this machine: its notice of a reboot is not believed")]
    public static partial void ForeignNotify(ILogger logger, IPEndPoint caller);
}
