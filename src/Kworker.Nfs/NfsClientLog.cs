using Microsoft.Extensions.Logging;

namespace Kworker.Nfs;

/// <summary>What the client says to its log.</summary>
internal static partial class NfsClientLog
{
    [LoggerMessage(60, LogLevel.Debug, "{Url}: the server was not told of the unmount: {Reason}")]
    public static partial void NotUnmounted(ILogger logger, string url, string reason);

    [LoggerMessage(61, LogLevel.Warning, "{Path} was not removed ({Reason}): it stays behind")]
    public static partial void SillyNotRemoved(ILogger logger, string path, string reason);
}
