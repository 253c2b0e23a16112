using Kworker.Nfsd.V4;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.State;

/// <summary>What the state has to say.</summary>
internal static partial class StateLog
{
    [LoggerMessage(400, LogLevel.Information, "client {Client} is expired: what it held is free")]
    public static partial void Expired(ILogger logger, string client);

    [LoggerMessage(401, LogLevel.Information, "NFSv4 grace period of {Seconds} s begins: clients of before may reclaim")]
    public static partial void GraceBegins(ILogger logger, double seconds);

    [LoggerMessage(402, LogLevel.Information, "NFSv4 grace period ends")]
    public static partial void GraceEnds(ILogger logger);

    [LoggerMessage(403, LogLevel.Debug, "client {Client} does not answer a callback: {Reason}")]
    public static partial void CallbackFailed(ILogger logger, string client, string reason);

    [LoggerMessage(404, LogLevel.Information, "client {Client} answers callbacks with {Status}: it needs another session to be called")]
    public static partial void BackChannelFaulty(ILogger logger, string client, Nfsstat4 status);
}
