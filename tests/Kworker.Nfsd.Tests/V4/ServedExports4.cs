using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>A server over directories of its own, each exported under a path of the test's choice.</summary>
internal sealed class ServedExports4 : IDisposable
{
    private readonly List<TemporaryDirectory> _directories = [];
    private readonly List<LocalFileSystem> _fileSystems = [];

    /// <param name="exports">Paths with options, as <c>/export:rw,insecure</c>.</param>
    public ServedExports4(params string[] exports)
        : this(exports, null, null)
    {
    }

    public ServedExports4(string[] exports, Action<NfsServerOptions>? configure, Func<string, string>? directoryOf)
    {
        var options = new NfsServerOptions { Port = 0, Addresses = [System.Net.IPAddress.Loopback] };
        foreach (string export in exports)
        {
            string path = directoryOf?.Invoke(export) ?? Directory();
            var fileSystem = LocalFileSystem.Open(path, new LocalFileSystemOptions { IsAsync = true });
            _fileSystems.Add(fileSystem);
            options.Exports.Add(NfsExport.Parse(export, fileSystem));
            Paths.Add(path);
        }
        configure?.Invoke(options);
        Server = new NfsServer(options);
        Server.StartAsync().AsTask().GetAwaiter().GetResult();
    }

    public NfsServer Server { get; }

    /// <summary>Where the exports' files are, in their order.</summary>
    public List<string> Paths { get; } = [];

    public Nfs4Client Connect() => new(Server.EndPoints[0]);

    public void Dispose()
    {
        Server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _fileSystems.ForEach(fileSystem => fileSystem.Dispose());
        _directories.ForEach(directory => directory.Dispose());
    }

    private string Directory()
    {
        var directory = new TemporaryDirectory();
        _directories.Add(directory);
        return directory.Path;
    }
}
