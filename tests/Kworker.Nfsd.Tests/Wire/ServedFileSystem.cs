using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>A server over one file system, exported as /export, on a port of its own.</summary>
internal sealed class ServedFileSystem : IDisposable
{
    public const string Path = "/export";

    public ServedFileSystem(INfsFileSystem fileSystem, string options = "rw,insecure,no_root_squash", Action<NfsServerOptions>? configure = null)
    {
        var all = new NfsServerOptions { Port = 0, Addresses = [System.Net.IPAddress.Loopback], Exports = { NfsExport.Parse($"{Path}:{options}", fileSystem) } };
        configure?.Invoke(all);
        Server = new NfsServer(all);
        Server.StartAsync().AsTask().GetAwaiter().GetResult();
    }

    public NfsServer Server { get; }

    public Nfs3Client Connect() => new(Server.EndPoints[0]);

    public void Dispose() => Server.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
