using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>What the server says to its log.</summary>
internal static partial class RpcLog
{
    [LoggerMessage(1, LogLevel.Information, "{Name}: serving on {EndPoints}")]
    public static partial void Started(ILogger logger, string name, string endPoints);

    [LoggerMessage(2, LogLevel.Information, "{Name}: stopped")]
    public static partial void Stopped(ILogger logger, string name);

    [LoggerMessage(3, LogLevel.Warning, "{Address} cannot be bound on this machine ({Reason}); serving without it")]
    public static partial void AddressLeftOut(ILogger logger, IPAddress address, string reason);

    [LoggerMessage(4, LogLevel.Error, "{Procedure} from {Client} failed; answered SYSTEM_ERR")]
    public static partial void CallFailed(ILogger logger, Exception exception, string procedure, IPEndPoint client);

    [LoggerMessage(5, LogLevel.Debug, "{Procedure} from {Client} has garbage for arguments: {Reason}")]
    public static partial void GarbageArguments(ILogger logger, string procedure, IPEndPoint client, string reason);

    [LoggerMessage(6, LogLevel.Debug, "{Client} connected")]
    public static partial void Connected(ILogger logger, IPEndPoint client);

    [LoggerMessage(7, LogLevel.Debug, "{Client} disconnected: {Reason}")]
    public static partial void Disconnected(ILogger logger, IPEndPoint client, string reason);

    [LoggerMessage(8, LogLevel.Warning, "{Client} is refused: {Limit} connections are open, the limit")]
    public static partial void TooManyConnections(ILogger logger, IPEndPoint client, int limit);

    [LoggerMessage(9, LogLevel.Error, "{Where} failed")]
    public static partial void TransportFailed(ILogger logger, Exception exception, string where);

    [LoggerMessage(10, LogLevel.Debug, "The reply to {Client} could not be sent: {Reason}")]
    public static partial void ReplyNotSent(ILogger logger, EndPoint client, string reason);

    [LoggerMessage(11, LogLevel.Information, "Registered with rpcbind at {Rpcbind}: {Records}")]
    public static partial void Registered(ILogger logger, string records, IPEndPoint rpcbind);

    // The one that Debian installs takes no registration but root's.
    [LoggerMessage(12, LogLevel.Warning, "rpcbind at {Rpcbind} did not take {Records} (it may take root's only): clients must name the port")]
    public static partial void NotRegistered(ILogger logger, IPEndPoint rpcbind, string records);

    [LoggerMessage(13, LogLevel.Information, "No rpcbind runs; ours answers on port {Port}")]
    public static partial void BuiltInRpcbind(ILogger logger, int port);

    [LoggerMessage(14, LogLevel.Warning, "No rpcbind runs, and ours cannot have port {Port} ({Reason}): clients must name the port")]
    public static partial void NoRpcbind(ILogger logger, int port, string reason);
}
