using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>What the program itself says to its log.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(1, LogLevel.Warning, "Some calls still ran after {Seconds} s and are left to themselves; what clients wrote is synced")]
    public static partial void DrainTimeUp(ILogger logger, double seconds);

    [LoggerMessage(2, LogLevel.Warning, "Not root: {Path} is served with the rights of the user that runs nfsd. Callers are held to mode bits, but what they make "
        + "belongs to that user, nothing can be given to others (chown), and what that user may not read nobody can")]
    public static partial void NotImpersonating(ILogger logger, string path);

    [LoggerMessage(3, LogLevel.Warning, "{Path}: the kernel does not open files by handle here (that takes root and a file system that can): what is renamed behind the "
        + "server's back is searched for in the whole export")]
    public static partial void NotOpeningByHandle(ILogger logger, string path);

    [LoggerMessage(4, LogLevel.Information, "Reloaded: {Exports}; log level {Level}")]
    public static partial void Reloaded(ILogger logger, string exports, LogLevel level);

    [LoggerMessage(5, LogLevel.Error, "Not reloaded, all stays as it was: {Reason}")]
    public static partial void NotReloaded(ILogger logger, string reason);

    [LoggerMessage(6, LogLevel.Warning, "{Options}: changed, but that takes a restart")]
    public static partial void TakesRestart(ILogger logger, string options);

    [LoggerMessage(7, LogLevel.Warning, "{Path} stays {Word}: to change that takes a restart")]
    public static partial void SyncStays(ILogger logger, string path, string word);

    [LoggerMessage(8, LogLevel.Warning, "nfsd status and nfsd top have nobody to ask: no socket at {Path} ({Reason})")]
    public static partial void NoControlSocket(ILogger logger, string path, string reason);

    [LoggerMessage(10, LogLevel.Information, "The sockets are systemd's ({Names}): --port and --bind say nothing about them")]
    public static partial void SocketsInherited(ILogger logger, string names);

    [LoggerMessage(11, LogLevel.Warning, "systemd cannot be told how the server stands: {Reason}")]
    public static partial void NotNotified(ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Warning, "{Address} has no TLS: the password of the state page can be read on the way. Better a proxy with TLS before it, on this machine")]
    public static partial void PasswordInTheClear(ILogger logger, string address);
}
