using Kworker.Nfsd.Exports;
using Kworker.Nfsd.Tests.Wire;
using Kworker.Samples;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>The export's rules hold for every call, whatever the client got when it mounted.</summary>
public sealed class ExportRuleTests
{
    private readonly MemoryFileSystem _fileSystem = new();

    [Fact]
    public void A_read_only_export_is_read_only_for_every_procedure()
    {
        byte[] root, file;
        using var served = new ServedFileSystem(_fileSystem, configure: Also("/readonly:ro,insecure,no_root_squash"));
        using Nfs3Client client = served.Connect();
        client.Write(client.MustCreate(client.MustMount(ServedFileSystem.Path), "file"), 0, "content"u8);
        root = client.MustMount("/readonly");
        file = client.Lookup(root, "file"u8).Handle;

        (uint Status, Attr? After)[] refused =
        [
            client.SetAttr(file, new Sattr { Mode = 0 }) is var set ? (set.Status, set.Wcc.After) : default,
            client.Write(file, 0, "x"u8) is var written ? (written.Status, written.Wcc.After) : default,
            client.Create(root, "x"u8) is var made ? (made.Status, made.Dir.After) : default,
            client.MkDir(root, "x"u8) is var directory ? (directory.Status, directory.Dir.After) : default,
            client.SymLink(root, "x"u8, "y"u8) is var link ? (link.Status, link.Dir.After) : default,
            client.MkNod(root, "x"u8, 7) is var pipe ? (pipe.Status, pipe.Dir.After) : default,
            client.Remove(root, "file"u8) is var removed ? (removed.Status, removed.Wcc.After) : default,
            client.RmDir(root, "file"u8) is var gone ? (gone.Status, gone.Wcc.After) : default,
            client.Rename(root, "file"u8, root, "x"u8) is var moved ? (moved.Status, moved.From.After) : default,
            client.Link(file, root, "x"u8) is var hard ? (hard.Status, hard.Dir.After) : default,
        ];
        Assert.All(refused, result =>
        {
            Assert.Equal(Stat.RoFs, result.Status);
            Assert.NotNull(result.After);
        });
        Assert.Equal("content"u8, client.Read(file, 0, 100).Data);
        Assert.Equal(0x03u, client.Access(root, 0x3f).Access);
        Assert.Equal(Stat.Ok, client.Commit(file).Status);
    }

    [Fact]
    public void Handles_of_one_export_are_not_another_ones()
    {
        using var served = new ServedFileSystem(_fileSystem, configure: Also("/other:rw,insecure"));
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        byte[] other = client.MustMount("/other");
        Assert.NotEqual(root, other);
        client.MustCreate(root, "file");
        Assert.Equal(Stat.Xdev, client.Rename(root, "file"u8, other, "file"u8).Status);
        Assert.Equal(Stat.Xdev, client.Link(root, other, "x"u8).Status);

        byte[] moved = [.. root];
        other.AsSpan(1, 4).CopyTo(moved.AsSpan(1)); // The other export's number in front of the same file.
        Assert.Equal(Stat.Stale, client.GetAttr(moved).Status);
    }

    [Fact]
    public void Handles_that_were_made_up_are_refused()
    {
        using var served = new ServedFileSystem(_fileSystem);
        using Nfs3Client client = served.Connect();
        byte[] root = client.MustMount(ServedFileSystem.Path);
        const int Shortest = 14; // Version, export, one byte, seal.
        for (int i = 0; i < root.Length; i++)
        {
            byte[] forged = [.. root];
            forged[i] ^= 0x10;
            Assert.Equal(i == 0 ? Stat.BadHandle : Stat.Stale, client.GetAttr(forged).Status);
            Assert.Equal(i < Shortest ? Stat.BadHandle : Stat.Stale, client.GetAttr(root[..i]).Status);
        }
        Assert.Equal(Stat.Stale, client.GetAttr([.. root, 0]).Status);
        Assert.Equal(Stat.BadHandle, client.GetAttr(new byte[64]).Status);
        Looked looked = client.Lookup(new byte[64], "x"u8);
        Assert.Equal((Stat.BadHandle, null), (looked.Status, looked.Dir));
        Assert.Equal(Stat.BadHandle, client.Rename(root, "x"u8, new byte[10], "y"u8).Status);
    }

    [Fact]
    public void Handles_of_an_export_that_is_gone_or_another_clients_are_stale()
    {
        using var state = new TemporaryDirectory();
        byte[] root;
        using (var served = new ServedFileSystem(_fileSystem, configure: options => options.StateDirectory = state.Path))
        {
            using Nfs3Client client = served.Connect();
            root = client.MustMount(ServedFileSystem.Path);
        }
        using (var served = new ServedFileSystem(_fileSystem, configure: options =>
        {
            options.StateDirectory = state.Path;
            options.Exports.Clear();
            options.Exports.Add(NfsExport.Parse("/another:rw,insecure", _fileSystem));
        }))
        {
            using Nfs3Client client = served.Connect();
            Assert.Equal(Stat.Stale, client.GetAttr(root).Status);
        }
        using (var served = new ServedFileSystem(_fileSystem, configure: options =>
        {
            options.StateDirectory = state.Path;
            options.Exports.Clear();
            options.Exports.Add(new NfsExport(
                new Export(System.Text.Encoding.UTF8.GetBytes(ServedFileSystem.Path), [ExportClient.Parse("192.0.2.1", ExportOptions.Default)]), _fileSystem));
        }))
        {
            using Nfs3Client client = served.Connect();
            Assert.Equal(Stat.Stale, client.GetAttr(root).Status);
            Assert.Equal(13u, client.Mnt("/export"u8).Status);
        }
    }

    [Fact]
    public void A_high_port_is_refused_unless_the_export_is_insecure()
    {
        using var served = new ServedFileSystem(_fileSystem, "rw", Also("/other:rw,insecure"));
        using Nfs3Client client = served.Connect();
        Assert.Equal(13u, client.Mnt("/export"u8).Status);
        client.MustMount("/other");
    }

    [Fact]
    public void A_call_from_a_high_port_is_too_weak_even_with_a_handle()
    {
        using var state = new TemporaryDirectory();
        byte[] root;
        using (var served = new ServedFileSystem(_fileSystem, configure: options => options.StateDirectory = state.Path))
        {
            using Nfs3Client client = served.Connect();
            root = client.MustMount(ServedFileSystem.Path);
        }
        using (var served = new ServedFileSystem(_fileSystem, "rw", options => options.StateDirectory = state.Path))
        {
            using Nfs3Client client = served.Connect();
            RpcAnswer answer = client.Rpc.Call(Nfs3Client.Nfs, 3, 1, new XdrBytes().Opaque(root).ToArray());
            Assert.Equal((false, 1u, 5u), (answer.IsAccepted, answer.Status, answer.Body.U32())); // AUTH_ERROR, AUTH_TOOWEAK
        }
    }

    [Theory]
    [InlineData("rw,insecure", 0u, 65534u)]
    [InlineData("rw,insecure", 1000u, 1000u)]
    [InlineData("rw,insecure,no_root_squash", 0u, 0u)]
    [InlineData("rw,insecure,all_squash", 1000u, 65534u)]
    [InlineData("rw,insecure,all_squash,anonuid=77,anongid=78", 1000u, 77u)]
    [InlineData("rw,insecure,anonuid=77", 0u, 77u)]
    public void Callers_are_squashed(string options, uint caller, uint owner)
    {
        using var served = new ServedFileSystem(_fileSystem, options);
        using Nfs3Client client = served.Connect().As(caller, caller);
        Assert.Equal(owner, client.Create(client.MustMount(ServedFileSystem.Path), "file"u8).Attr!.Uid);
    }

    [Fact]
    public void A_caller_who_does_not_say_is_anonymous()
    {
        using var served = new ServedFileSystem(_fileSystem, "rw,insecure,no_root_squash,anonuid=77,anongid=78");
        using Nfs3Client client = served.Connect().AsNobody();
        Attr attr = client.Create(client.MustMount(ServedFileSystem.Path), "file"u8).Attr!;
        Assert.Equal((77u, 78u), (attr.Uid, attr.Gid));
    }

    private Action<NfsServerOptions> Also(string export) => options => options.Exports.Add(NfsExport.Parse(export, _fileSystem));
}
