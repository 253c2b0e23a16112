using System.Net;
using Kworker.Nfsd;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.PowerCut;

namespace Kworker.Nfs.Tests;

/// <summary>A directory of its own, served by our server in this process, and clients of it.</summary>
internal sealed class ServedDirectory : IAsyncDisposable
{
    private readonly LocalFileSystem _files;
    private readonly NfsServer _server;

    private ServedDirectory(string path, string options)
    {
        Path = path;
        _files = LocalFileSystem.Open(path);
        Power = new PowerCutFileSystem(_files);
        _server = new NfsServer(new NfsServerOptions
        {
            Port = 0,
            Addresses = [IPAddress.Loopback],
            Exports = { NfsExport.Parse($"{path}:{options}", Power) },
        });
    }

    public string Path { get; }

    /// <summary>The back end that forgets.</summary>
    public PowerCutFileSystem Power { get; }

    public string Url => $"nfs://127.0.0.1:{_server.Port}{Path}";

    public static async Task<ServedDirectory> StartAsync(string options = "rw,insecure,no_root_squash")
    {
        var served = new ServedDirectory(Directory.CreateTempSubdirectory("kworker-nfs-").FullName, options);
        await served._server.StartAsync();
        return served;
    }

    public ValueTask<NfsClient> MountAsync(NfsClientOptions? options = null) => NfsClient.MountAsync(Url, options);

    public string Local(string name) => System.IO.Path.Combine(Path, name);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _files.Dispose();
        Directory.Delete(Path, recursive: true);
    }
}
