using System.Text;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>The directories above the exports: RFC 7530 section 7.</summary>
public sealed class PseudoFileSystemTests
{
    private const uint Type = 1, Fsid = 8, FileId = 20, MountedOnFileId = 55;

    private static List<string> Names(Nfs4Client client, byte[] directory)
    {
        (uint status, Reply4 reply) = client.Last(Op4.PutFh(directory), Op4.ReadDir(0, 0, 8192, Type, Fsid, FileId, MountedOnFileId));
        Assert.Equal(0u, status);
        reply.Body.U64();
        var names = new List<string>();
        while (reply.Body.Bool())
        {
            Assert.True(reply.Body.U64() > 2);
            names.Add(Encoding.ASCII.GetString(reply.Body.Opaque()));
            reply.Attributes(Type, Fsid, FileId, MountedOnFileId);
        }
        Assert.True(reply.Body.Bool());
        return names;
    }

    private static (ulong Fsid, ulong FileId, ulong Mounted) Attributes(Nfs4Client client, byte[] handle)
    {
        (uint status, Reply4 reply) = client.Last(Op4.PutFh(handle), Op4.GetAttr(Type, Fsid, FileId, MountedOnFileId));
        Assert.Equal(0u, status);
        XdrCursor attributes = reply.Attributes(Type, Fsid, FileId, MountedOnFileId);
        Assert.Equal(2u, attributes.U32());
        ulong fsid = attributes.U64();
        attributes.U64();
        return (fsid, attributes.U64(), attributes.U64());
    }

    [Fact]
    public void Exports_are_found_below_the_root()
    {
        using var served = new ServedExports4("/srv/a:rw,insecure", "/srv/deep/b:rw,insecure", "/c:rw,insecure");
        using Nfs4Client client = served.Connect();
        byte[] root = client.Handle(Op4.PutRootFh), srv = client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8));
        byte[] a = client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8), Op4.Lookup("a"u8));
        Assert.Equal(["srv", "c"], Names(client, root));
        Assert.Equal(["a", "deep"], Names(client, srv));
        Assert.Equal(srv, client.Handle(Op4.PutFh(a), Op4.LookupP));
        Assert.Equal(root, client.Handle(Op4.PutFh(srv), Op4.LookupP));
        Assert.Equal(2u, client.Run(Op4.PutRootFh, Op4.LookupP).Status);

        (ulong fsid, ulong fileId, ulong mounted) = Attributes(client, srv);
        (ulong otherFsid, ulong otherFileId, ulong otherMounted) = Attributes(client, a);
        Assert.NotEqual(fsid, otherFsid);
        Assert.Equal(fileId, mounted);
        Assert.NotEqual(otherFileId, otherMounted);
        File.WriteAllText(Path.Combine(served.Paths[0], "in-a"), "");
        Assert.Equal(["in-a"], Names(client, a));
        (_, Reply4 reply) = client.Last(Op4.PutRootFh, Op4.Access(0x3f));
        Assert.Equal((0x1fu, 3u), (reply.Body.U32(), reply.Body.U32()));
    }

    [Fact]
    public void Handles_are_the_same_after_a_restart()
    {
        using var state = new TemporaryDirectory();
        byte[] Handle(params string[] exports)
        {
            using var served = new ServedExports4(exports, options => options.StateDirectory = state.Path, null);
            using Nfs4Client client = served.Connect();
            return client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8));
        }
        Assert.Equal(Handle("/srv/a:rw,insecure"), Handle("/srv/b:rw,insecure", "/srv/a:rw,insecure"));
    }

    [Fact]
    public void Who_gets_no_export_sees_no_way_to_it()
    {
        using var directories = new TemporaryDirectory();
        using var served = new ServedExports4(["/srv/a:rw,insecure"], options =>
        {
            var fileSystem = options.Exports[0].FileSystem;
            var rule = ExportClient.Parse("192.0.2.1", new ExportOptions { RequiresPrivilegedPort = false });
            options.Exports.Add(new NfsExport(new Export("/hidden/b"u8, [rule]), fileSystem));
            options.Exports.Add(new NfsExport(new Export("/srv/c"u8, [rule]), fileSystem));
        }, null);
        using Nfs4Client client = served.Connect();
        Assert.Equal(["srv"], Names(client, client.Handle(Op4.PutRootFh)));
        Assert.Equal(["a"], Names(client, client.Handle(Op4.PutRootFh, Op4.Lookup("srv"u8))));
        Assert.Equal(2u, client.Run(Op4.PutRootFh, Op4.Lookup("hidden"u8)).Status);
        Assert.Equal(2u, client.Run(Op4.PutRootFh, Op4.Lookup("srv"u8), Op4.Lookup("c"u8)).Status);
    }

    [Theory]
    [InlineData("/:rw,insecure")]
    [InlineData("/somewhere/else:rw,insecure,fsid=0")]
    [InlineData("/somewhere/else:rw,insecure,fsid=root")]
    public void An_export_may_be_the_root_itself(string export)
    {
        using var served = new ServedExports4(export, "/data:rw,insecure");
        using Nfs4Client client = served.Connect();
        File.WriteAllText(Path.Combine(served.Paths[0], "file"), "");
        byte[] file = client.Handle(Op4.PutRootFh, Op4.Lookup("file"u8));
        Assert.NotEmpty(file);
        Assert.Equal(2u, client.Run(Op4.PutRootFh, Op4.LookupP).Status);
    }

    [Fact]
    public void An_export_within_another_is_entered_where_it_is()
    {
        using var top = new TemporaryDirectory();
        Directory.CreateDirectory(Path.Combine(top.Path, "x/inner"));
        File.WriteAllText(Path.Combine(top.Path, "x/inner/file"), "");
        using var served = new ServedExports4(
            ["/outer:rw,insecure", "/outer/x/inner:ro,insecure"], null, export => export.Contains("inner") ? Path.Combine(top.Path, "x/inner") : top.Path);
        using Nfs4Client client = served.Connect();
        byte[] outer = client.Handle(Op4.PutRootFh, Op4.Lookup("outer"u8)), x = client.Handle(Op4.PutFh(outer), Op4.Lookup("x"u8));
        byte[] inner = client.Handle(Op4.PutFh(x), Op4.Lookup("inner"u8));
        Assert.NotEqual(Attributes(client, x).Fsid, Attributes(client, inner).Fsid);
        Assert.Equal(30u, client.Run(Op4.PutFh(inner), Op4.MkDir("new"u8)).Status);
        Assert.Equal(x, client.Handle(Op4.PutFh(inner), Op4.LookupP));
        Assert.Equal(outer, client.Handle(Op4.PutFh(x), Op4.LookupP));
    }

    [Fact]
    public void A_port_that_is_too_high_is_refused_in_the_protocols_own_words()
    {
        using var served = new ServedExports4("/safe:rw", "/open:rw,insecure");
        using Nfs4Client client = served.Connect();
        Assert.Equal(1u, client.Run(Op4.PutRootFh, Op4.Lookup("safe"u8)).Status);
        Assert.Equal(0u, client.Run(Op4.PutRootFh, Op4.Lookup("open"u8)).Status);
    }

    [Fact]
    public void File_systems_of_others_need_not_know()
    {
        using var served = new ServedFileSystem(new ScriptedFileSystem { Status = NfsStatus.Ok }, "rw,insecure");
        using var client = new Nfs4Client(served.Server.EndPoints[0]);
        (uint status, Reply4 reply) = client.Last(Op4.PutRootFh, Op4.Lookup("export"u8), Op4.GetAttr(3));
        Assert.Equal(0u, status);
        reply.Attributes(3);
    }
}
