using Microsoft.Extensions.Logging;

namespace Kworker.Hosting;

/// <summary>What is written to the host's log.</summary>
internal static partial class KworkerLog
{
    [LoggerMessage(1, LogLevel.Error, "{Work} (queue {Workqueue}) failed")]
    public static partial void WorkFailed(ILogger logger, Exception exception, string work, string workqueue);

    [LoggerMessage(2, LogLevel.Error, "{Text}")]
    public static partial void Said(ILogger logger, string text);

    [LoggerMessage(3, LogLevel.Error, "Pool {Pool} has begun nothing for {Seconds:0} s while work waits\n{Snapshot}")]
    public static partial void PoolStalled(ILogger logger, string pool, double seconds, KworkerSnapshot? snapshot);

    [LoggerMessage(4, LogLevel.Warning, "{Work} (queue {Workqueue}) has been running for {Seconds:0} s, thread {Thread}\n{Where}")]
    public static partial void ItemRunsLong(ILogger logger, string? work, string? workqueue, double seconds, string thread, string where);

    [LoggerMessage(5, LogLevel.Error, "Kthread {Kthread} has waited for {Seconds:0} s where nothing but the end of the wait can end it, in {Work}\n{Where}")]
    public static partial void KthreadHung(ILogger logger, string kthread, double seconds, string? work, string where);

    [LoggerMessage(6, LogLevel.Warning, "{Work} (queue {Workqueue}) was dropped: the line was full")]
    public static partial void Dropped(ILogger logger, string work, string workqueue);

    [LoggerMessage(7, LogLevel.Warning, "Shutdown: {Work} (queue {Workqueue}) waited in line and was not run: there was no time left")]
    public static partial void LeftWaiting(ILogger logger, string work, string workqueue);

    [LoggerMessage(8, LogLevel.Warning, "Shutdown: {Work} (queue {Workqueue}) waited for its time, {Seconds:0.###} s more, and was not run")]
    public static partial void LeftDelayed(ILogger logger, string work, string workqueue, double seconds);

    [LoggerMessage(9, LogLevel.Warning, "Shutdown: {Work} (queue {Workqueue}) was told to stop, and has ended")]
    public static partial void Interrupted(ILogger logger, string work, string workqueue);

    [LoggerMessage(10, LogLevel.Error, "Shutdown: {Work} (queue {Workqueue}) still runs, and is not waited for any more")]
    public static partial void LeftRunning(ILogger logger, string work, string workqueue);

    [LoggerMessage(11, LogLevel.Warning, "Shutdown: {Count} works were left undone or interrupted")]
    public static partial void LeftUndone(ILogger logger, int count);

    [LoggerMessage(12, LogLevel.Critical, "Kthread {Kthread} failed")]
    public static partial void KthreadFailed(ILogger logger, Exception exception, string kthread);

    [LoggerMessage(13, LogLevel.Critical, "The host ends because kthread {Kthread} failed (HostOptions.BackgroundServiceExceptionBehavior)")]
    public static partial void KthreadEndsHost(ILogger logger, string kthread);

    [LoggerMessage(14, LogLevel.Error, "Shutdown: kthread {Kthread} was told to stop and has not ended; it is not waited for any more")]
    public static partial void KthreadLeftRunning(ILogger logger, string kthread);
}
