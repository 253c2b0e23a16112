using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>What a client says to its log; the first three in the kernel's words.</summary>
internal static partial class RpcClientLog
{
    [LoggerMessage(30, LogLevel.Warning, "server {Server} not responding, still trying")]
    public static partial void NotResponding(ILogger logger, string server);

    [LoggerMessage(31, LogLevel.Warning, "server {Server} not responding, timed out")]
    public static partial void TimedOut(ILogger logger, string server);

    [LoggerMessage(32, LogLevel.Information, "server {Server} OK")]
    public static partial void Ok(ILogger logger, string server);

    [LoggerMessage(33, LogLevel.Debug, "server {Server}: not connected: {Reason}")]
    public static partial void NotConnected(ILogger logger, string server, string reason);

    [LoggerMessage(34, LogLevel.Debug, "server {Server}: connection lost: {Reason}")]
    public static partial void Disconnected(ILogger logger, string server, string reason);

    [LoggerMessage(35, LogLevel.Error, "server {Server}: a handler of RespondingChanged failed")]
    public static partial void HandlerFailed(ILogger logger, Exception exception, string server);
}
