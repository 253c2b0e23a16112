using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.Server;

/// <summary>Something else is exported while clients are there.</summary>
public sealed class ReplaceExportsTests : IDisposable
{
    private const uint NoEnt = 2, Stale = 70, ReadOnly = 30;

    private readonly ErrorLog _log = new();
    private readonly TemporaryDirectory _first = new();
    private readonly TemporaryDirectory _second = new();
    private readonly LocalFileSystem _firstFiles;
    private readonly LocalFileSystem _secondFiles;
    private readonly NfsServer _server;

    public ReplaceExportsTests()
    {
        _firstFiles = LocalFileSystem.Open(_first.Path, new LocalFileSystemOptions { IsAsync = true });
        _secondFiles = LocalFileSystem.Open(_second.Path, new LocalFileSystemOptions { IsAsync = true });
        File.WriteAllText(Path.Combine(_first.Path, "file"), "one");
        File.SetUnixFileMode(Path.Combine(_first.Path, "file"), (UnixFileMode)0x1b6); // rw-rw-rw-: root is squashed
        File.WriteAllText(Path.Combine(_second.Path, "file"), "two");
        _server = new NfsServer(new NfsServerOptions
        {
            Port = 0,
            Addresses = [System.Net.IPAddress.Loopback],
            Exports = { First("rw,insecure") },
            LoggerFactory = _log,
        });
        _server.StartAsync().AsTask().GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        _server.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _firstFiles.Dispose();
        _secondFiles.Dispose();
        _first.Dispose();
        _second.Dispose();
        Assert.Empty(_log.Errors);
    }

    private NfsExport First(string options) => NfsExport.Parse($"/srv/first:{options}", _firstFiles);

    private NfsExport Second(string options) => NfsExport.Parse($"/srv/deep/second:{options}", _secondFiles);

    [Fact]
    public void By_NFSv3_handles_stay_good_go_stale_and_come_back()
    {
        using var client = new Nfs3Client(_server.EndPoints[0]);
        byte[] root = client.MustMount("/srv/first"), file = client.Lookup(root, "file"u8).Handle;
        Assert.Equal(NoEnt, client.Mnt("/srv/deep/second"u8).Status);

        _server.ReplaceExports([First("ro,insecure"), Second("rw,insecure")]);
        Assert.Equal(0u, client.GetAttr(file).Status);
        Assert.Equal(ReadOnly, client.Write(file, 0, "x"u8).Status);
        byte[] second = client.MustMount("/srv/deep/second");

        _server.ReplaceExports([Second("rw,insecure")]);
        Assert.Equal(Stale, client.GetAttr(file).Status);
        Assert.Equal(0u, client.GetAttr(second).Status);
        Assert.Equal(NoEnt, client.Mnt("/srv/first"u8).Status);

        _server.ReplaceExports([First("rw,insecure")]);
        Assert.Equal(0u, client.Write(file, 0, "x"u8).Status);
        Assert.Equal(Stale, client.GetAttr(second).Status);
    }

    [Fact]
    public void By_NFSv4_the_tree_above_the_exports_follows()
    {
        using var client = new Nfs4Client(_server.EndPoints[0]);
        byte[] file = client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8), Op4.Lookup("first"u8), Op4.Lookup("file"u8));
        byte[] srv = client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8));
        Assert.Equal(NoEnt, client.Run(Op4.PutFh(srv), Op4.Lookup("deep"u8)).Status);

        _server.ReplaceExports([First("rw,insecure"), Second("rw,insecure")]);
        byte[] second = client.Handle(Op4.PutFh(srv), Op4.Lookup("deep"u8), Op4.Lookup("second"u8));
        Assert.Equal(0u, client.Run(Op4.PutFh(file), Op4.GetAttr(1)).Status);
        Assert.Equal(client.Handle(Op4.PutFh(srv), Op4.Lookup("deep"u8)), client.Handle(Op4.PutFh(second), Op4.LookupP));

        _server.ReplaceExports([Second("rw,insecure")]);
        Assert.Equal(Stale, client.Run(Op4.PutFh(file)).Status);
        Assert.Equal(NoEnt, client.Run(Op4.PutFh(srv), Op4.Lookup("first"u8)).Status);
        Assert.Equal(0u, client.Run(Op4.PutFh(second), Op4.GetAttr(1)).Status);
    }

    [Fact]
    public void What_cannot_be_exported_changes_nothing()
    {
        using var client = new Nfs3Client(_server.EndPoints[0]);
        byte[] root = client.MustMount("/srv/first");
        Assert.Throws<ArgumentException>(() => _server.ReplaceExports([]));
        Assert.Throws<ExportsFormatException>(() => _server.ReplaceExports([Second("rw"), Second("ro")]));
        Assert.Equal(0u, client.GetAttr(root).Status);
    }

    [Fact]
    public void Calls_that_run_meanwhile_see_one_or_the_other()
    {
        using var four = new Nfs4Client(_server.EndPoints[0]);
        using var three = new Nfs3Client(_server.EndPoints[0]);
        NfsExport[][] sets = [[First("rw,insecure")], [First("rw,insecure"), Second("rw,insecure")], [Second("rw,insecure")]];
        bool isDone = false;
        var replacing = new Thread(() =>
        {
            for (int i = 0; !Volatile.Read(ref isDone); i++)
                _server.ReplaceExports(sets[i % 3]);
        });
        replacing.Start();
        for (int i = 0; i < 300; i++)
        {
            Assert.Contains(three.Mnt("/srv/first"u8).Status, (uint[])[0, NoEnt]);
            uint status = four.Run(Op4.PutRootFh, Op4.Lookup("srv"u8), Op4.Lookup("deep"u8), Op4.Lookup("second"u8), Op4.LookupP, Op4.LookupP, Op4.GetAttr(1, 55)).Status;
            Assert.Contains(status, (uint[])[0, NoEnt]);
        }
        Volatile.Write(ref isDone, true);
        replacing.Join();
    }
}
