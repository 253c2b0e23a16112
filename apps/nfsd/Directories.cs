using System.Diagnostics;
using Kworker.Nfsd;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem.Local;
using Microsoft.Extensions.Logging;

namespace Kworker.Apps.Nfsd;

/// <summary>
/// The exported directories while the daemon runs. One that was exported once stays open to the end, so that it is the same file system, with its locks and open files, when it
/// is exported again. Not thread-safe.
/// </summary>
[DebuggerDisplay("{_open.Count} directories")]
internal sealed class Directories(ILogger logger) : IDisposable
{
    private readonly Dictionary<(string Path, ulong? FileSystemId), (LocalFileSystem Directory, bool IsAsync)> _open = [];

    /// <summary>The directories of <paramref name="exports"/>, each opened when it comes first.</summary>
    /// <exception cref="StartupException">One cannot be opened.</exception>
    public IReadOnlyList<NfsExport> Open(IReadOnlyList<Export> exports) => [.. exports.Select(export => new NfsExport(export, Open(export)))];

    public void Dispose()
    {
        foreach ((LocalFileSystem directory, _) in _open.Values)
            directory.Dispose();
    }

    private LocalFileSystem Open(Export export)
    {
        ulong? fileSystemId = export.Clients.Any(client => client.Options.FileSystemId is not null) ? export.Id : null;
        if (_open.TryGetValue((export.Path, fileSystemId), out (LocalFileSystem Directory, bool IsAsync) known))
        {
            if (known.IsAsync != export.IsAsync)
                DaemonLog.SyncStays(logger, export.Path, known.IsAsync ? "async" : "sync");
            return known.Directory;
        }
        LocalFileSystem directory;
        try
        {
            directory = LocalFileSystem.Open(export.PathBytes, new LocalFileSystemOptions { IsAsync = export.IsAsync, FileSystemId = fileSystemId });
        }
        catch (IOException exception)
        {
            throw new StartupException($"{exception.Message} {AdviceOn(export.Path)}", innerException: exception);
        }
        _open.Add((export.Path, fileSystemId), (directory, export.IsAsync));
        if (!directory.IsImpersonating)
            DaemonLog.NotImpersonating(logger, export.Path);
        if (!directory.IsOpeningByHandle)
            DaemonLog.NotOpeningByHandle(logger, export.Path);
        return directory;
    }

    private static string AdviceOn(string path)
    {
        if (File.Exists(path))
            return "Export the directory that it is in.";
        if (Directory.Exists(path))
            return "Let the user that runs nfsd read it, or run nfsd as root.";
        return Environment.IsPrivilegedProcess ? "Export a directory that is there." : "Export a directory that is there, and that the user that runs nfsd can reach.";
    }
}
