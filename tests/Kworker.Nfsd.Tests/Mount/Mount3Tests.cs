using System.Text;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Kworker.Samples;

namespace Kworker.Nfsd.Tests.Mount;

/// <summary>MOUNT version 3 (RFC 1813 section 5).</summary>
public sealed class Mount3Tests : IDisposable
{
    private const uint NoEnt = 2, Acces = 13, NotDir = 20, NameTooLong = 63, ServerFault = 10006;

    private readonly MemoryFileSystem _fileSystem = new();
    private readonly ScriptedFileSystem _scripted = new();
    private readonly ServedFileSystem _served;
    private readonly Nfs3Client _client;

    public Mount3Tests()
    {
        _served = new ServedFileSystem(_fileSystem, configure: options => options.Exports.Add(NfsExport.Parse("/with space:ro,insecure", _scripted)));
        _client = _served.Connect();
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void Null_does_nothing() => _client.Call(0, new XdrBytes(), Nfs3Client.Mount).End();

    [Fact]
    public void Mnt_gives_the_root_and_the_flavors()
    {
        (uint status, byte[] handle, uint[] flavors) = _client.Mnt("/export"u8);
        Assert.Equal(0u, status);
        Assert.InRange(handle.Length, 1, 64);
        Assert.Equal([1u, 0u], flavors);
        Assert.Equal(2u, _client.MustGetAttr(handle).Type);
        Assert.Equal(handle, _client.Mnt("//export/"u8).Handle);
    }

    [Fact]
    public void Mnt_gives_directories_below_too()
    {
        byte[] root = _client.MustMount("/export");
        byte[] a = _client.MkDir(root, "a"u8).Handle!;
        byte[] b = _client.MkDir(a, "b"u8).Handle!;
        _client.MustCreate(a, "file");
        Assert.Equal(b, _client.MustMount("/export/a/b"));
        Assert.Equal(NotDir, _client.Mnt("/export/a/file"u8).Status);
        Assert.Equal(NotDir, _client.Mnt("/export/a/file/x"u8).Status);
        Assert.Equal(NoEnt, _client.Mnt("/export/a/missing"u8).Status);
        Assert.Equal(NoEnt, _client.Mnt("/export/a/../a"u8).Status);
    }

    [Theory]
    [InlineData("/", NoEnt)]
    [InlineData("", NoEnt)]
    [InlineData("export", NoEnt)]
    [InlineData("/exp", NoEnt)]
    [InlineData("/exported", NoEnt)]
    [InlineData("/other", NoEnt)]
    [InlineData("/export/\0", NoEnt)]
    public void Mnt_of_what_is_not_exported_is_refused(string path, uint due) => Assert.Equal(due, _client.Mnt(Encoding.UTF8.GetBytes(path)).Status);

    [Fact]
    public void Mnt_of_a_path_that_is_too_long_is_refused() =>
        Assert.Equal(NameTooLong, _client.Mnt(Encoding.UTF8.GetBytes("/export/" + new string('x', 1020))).Status);

    [Fact]
    public void Mnt_survives_a_file_system_that_throws()
    {
        _scripted.Fault = new InvalidOperationException("planted by the test");
        Assert.Equal(ServerFault, _client.Mnt("/with space/below"u8).Status);
    }

    [Fact]
    public void Dump_lists_what_was_mounted_until_it_is_unmounted()
    {
        _client.MustMount("/export");
        _client.MustMount("/export");
        _client.MustMount("/with space");
        Assert.Equal([("127.0.0.1", "/export"), ("127.0.0.1", "/with space")], Dump());
        _client.Call(3, new XdrBytes().Opaque("/export"u8), Nfs3Client.Mount).End();
        _client.Call(3, new XdrBytes().Opaque("/never mounted"u8), Nfs3Client.Mount).End();
        Assert.Equal([("127.0.0.1", "/with space")], Dump());
        _client.MustMount("/export");
        _client.Call(4, new XdrBytes(), Nfs3Client.Mount).End();
        Assert.Empty(Dump());
    }

    [Fact]
    public void Dump_is_bounded()
    {
        byte[] root = _client.MustMount("/export");
        const int More = Kworker.Nfsd.Mount.MountTable.MaxEntries + 10;
        for (int i = 0; i < More; i++)
            _client.MkDir(root, Encoding.UTF8.GetBytes($"d{i}"));
        for (int i = 0; i < More; i++)
            _client.MustMount($"/export/d{i}");
        List<(string, string)> mounts = Dump();
        Assert.Equal(Kworker.Nfsd.Mount.MountTable.MaxEntries, mounts.Count);
        Assert.Equal($"/export/d{More - 1}", mounts[^1].Item2);
    }

    [Fact]
    public void Export_lists_paths_and_clients()
    {
        XdrCursor reply = _client.Call(5, new XdrBytes(), Nfs3Client.Mount);
        var exports = new List<(string, string)>();
        while (reply.Bool())
        {
            string path = Encoding.UTF8.GetString(reply.Opaque());
            Assert.True(reply.Bool());
            exports.Add((path, Encoding.UTF8.GetString(reply.Opaque())));
            Assert.False(reply.Bool());
        }
        reply.End();
        Assert.Equal([("/export", "*"), ("/with space", "*")], exports);
    }

    [Theory]
    [InlineData(100005u, 1u, 3u)]
    [InlineData(100005u, 4u, 3u)]
    [InlineData(100003u, 2u, 4u)]
    [InlineData(100003u, 5u, 4u)]
    public void Other_versions_are_a_mismatch_that_names_those_there_are(uint program, uint version, uint highest)
    {
        foreach (uint procedure in (uint[])[0, 1, 3])
        {
            RpcAnswer answer = _client.Rpc.Call(program, version, procedure, []);
            Assert.Equal((true, 2u, 3u, highest), (answer.IsAccepted, answer.Status, answer.Body.U32(), answer.Body.U32()));
        }
    }

    [Theory]
    [InlineData(100005u, 6u)]
    [InlineData(100003u, 22u)]
    public void Procedures_that_are_not_there_are_unavailable(uint program, uint procedure)
    {
        RpcAnswer answer = _client.Rpc.Call(program, 3, procedure, []);
        Assert.Equal((true, 3u), (answer.IsAccepted, answer.Status));
    }

    private List<(string Client, string Path)> Dump()
    {
        XdrCursor reply = _client.Call(2, new XdrBytes(), Nfs3Client.Mount);
        var mounts = new List<(string, string)>();
        while (reply.Bool())
            mounts.Add((Encoding.UTF8.GetString(reply.Opaque()), Encoding.UTF8.GetString(reply.Opaque())));
        reply.End();
        return mounts;
    }
}
