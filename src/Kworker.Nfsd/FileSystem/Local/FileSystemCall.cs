using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>A stretch of system calls on this thread: announced to the worker pool as blocking, and run as a client's user where that is put on.</summary>
[SupportedOSPlatform("linux")]
internal readonly ref struct FileSystemCall
{
    private readonly BlockingScope _blocking;
    private readonly ThreadCredentials _credentials;

    private FileSystemCall(ServerIdentity server)
    {
        _credentials = ThreadCredentials.Begin(server);
        _blocking = Worker.Blocking();
    }

    /// <summary>Begins a stretch as the server itself.</summary>
    public static FileSystemCall Begin(ServerIdentity server) => new(server);

    /// <inheritdoc cref="ThreadCredentials.ActAs"/>
    public NfsStatus ActAs(NfsCredentials caller) => _credentials.ActAs(caller);

    /// <inheritdoc cref="ThreadCredentials.ActAsServer"/>
    public void ActAsServer() => _credentials.ActAsServer();

    /// <summary>Ends the stretch, as the server.</summary>
    public void Dispose()
    {
        _credentials.End();
        _blocking.Dispose();
    }
}
