using System.Net;
using Kworker.Nfsd.FileSystem;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Server;

/// <summary>What the NFS server says to its log.</summary>
internal static partial class NfsLog
{
    [LoggerMessage(1, LogLevel.Information, "{Client} mounted {Path}")]
    public static partial void Mounted(ILogger logger, IPEndPoint client, string path);

    [LoggerMessage(2, LogLevel.Information, "{Client} unmounted {Path}")]
    public static partial void Unmounted(ILogger logger, IPEndPoint client, string path);

    [LoggerMessage(3, LogLevel.Warning, "{Client} may not mount {Path}: {Status}")]
    public static partial void MountRefused(ILogger logger, IPEndPoint client, string path, NfsStatus status);

    [LoggerMessage(4, LogLevel.Warning, "{Client} is refused: {Path} is not exported to it")]
    public static partial void ClientRefused(ILogger logger, IPEndPoint client, string path);

    [LoggerMessage(5, LogLevel.Warning, "{Client} is refused: {Path} is exported to ports below 1024 only; the option 'insecure' allows others")]
    public static partial void PortRefused(ILogger logger, IPEndPoint client, string path);

    [LoggerMessage(6, LogLevel.Error, "The file system failed at {Procedure}")]
    public static partial void FileSystemFailed(ILogger logger, Exception exception, string procedure);

    [LoggerMessage(7, LogLevel.Error, "The file system of {Path} could not be synced: {Status}")]
    public static partial void SyncFailed(ILogger logger, string path, string status);
}
