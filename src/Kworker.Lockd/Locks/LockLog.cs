using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Locks;

/// <summary>What the lock table says to its log.</summary>
internal static partial class LockLog
{
    [LoggerMessage(101, LogLevel.Warning, "The local file of {File} cannot be opened; the lock is refused")]
    public static partial void LocalNotOpened(ILogger logger, Exception exception, LockFileKey file);

    [LoggerMessage(102, LogLevel.Warning, "The kernel refuses a lock of {Range} on the local file of {File}; the lock is refused")]
    public static partial void LocalRefused(ILogger logger, LockFileKey file, LockRange range);

    [LoggerMessage(103, LogLevel.Warning, "The kernel did not give up the lock of {Range} on the local file of {File}; it stands until the file's last lock goes")]
    public static partial void LocalKept(ILogger logger, LockFileKey file, LockRange range);
}
