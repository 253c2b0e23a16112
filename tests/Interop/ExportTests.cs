using System.Net;
using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>What the options of exports(5) keep from clients.</summary>
public sealed class ExportTests
{
    [Fact]
    public async Task Without_insecure_a_client_on_a_high_port_is_refused()
    {
        await using var server = await StartAsync("rw");
        Assert.Equal(RawNfs.AccessDenied, (await RawNfs.AskForRootAsync(server.Address, server.Export)).Status);
        await server.SaysAsync("'insecure'"); // what to do is said where it can be done
    }

    [Fact]
    public async Task Each_export_has_its_own_options()
    {
        using var local = new TemporaryDirectory();
        var secure = local.Folder("secure");
        await using var server = await StartAsync("rw,insecure", "--export", $"{secure}:rw");
        Assert.Equal(RawNfs.Ok, (await RawNfs.AskForRootAsync(server.Address, server.Export)).Status);
        Assert.Equal(RawNfs.AccessDenied, (await RawNfs.AskForRootAsync(server.Address, secure)).Status);
    }

    [Fact]
    public async Task Ro_refuses_every_change_and_lets_read()
    {
        await using var server = await StartAsync("ro,insecure,no_root_squash");
        File.WriteAllText(server.PathOf("file"), "as it was");
        using var nfs = await RawNfs.MountAsync(server.Address, server.MountPort, server.Export);
        var (_, file) = await nfs.LookupAsync(nfs.Root, "file");

        Assert.Equal("as it was"u8.ToArray(), await nfs.ReadAsync(file, 0, 100));
        Assert.Equal(RawNfs.ReadOnly, (await nfs.CreateAsync(nfs.Root, "new")).Status);
        Assert.Equal(RawNfs.ReadOnly, await nfs.RemoveAsync(nfs.Root, "file"));
        Assert.Equal(["file"], Directory.GetFileSystemEntries(server.Export).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("rw,insecure", 0, 65534)]                                      // root_squash is the default
    [InlineData("rw,insecure", 1001, 1001)]
    [InlineData("rw,insecure,no_root_squash", 0, 0)]
    [InlineData("rw,insecure,all_squash,anonuid=1234,anongid=1234", 1001, 1234)]
    public async Task Who_makes_a_file_owns_it_unless_squashed(string options, int caller, int owner)
    {
        Machine.NeedRoot("make files for others");
        await using var server = await StartAsync(options);
        Command.Run("chmod", ["1777", server.Export]).Succeeds();
        using var nfs = await RawNfs.MountAsync(server.Address, server.MountPort, server.Export, (uint)caller, (uint)caller);

        Assert.Equal(RawNfs.Ok, (await nfs.CreateAsync(nfs.Root, "mine")).Status);

        Assert.Equal($"{owner}:{owner}", Command.Run("stat", ["-c", "%u:%g", server.PathOf("mine")]).Succeeds().Output.Trim());
    }

    [Fact]
    public async Task A_file_of_exports_may_name_more_of_them_each_with_its_own_rights()
    {
        using var local = new TemporaryDirectory();
        var second = local.Folder("with space");
        File.WriteAllText(Path.Combine(second, "file"), "second");
        var exports = Path.Combine(local.Path, "exports");
        File.WriteAllText(exports, $"# a comment\n\"{second}\" 127.0.0.0/8(ro,insecure) \\\n  ::1(rw,insecure)\n{local.Folder("third")} 192.0.2.1(rw,insecure)\n");
        await using var server = await StartAsync("rw,insecure,no_root_squash", "--exports", exports);

        using var first = await RawNfs.MountAsync(server.Address, server.MountPort, server.Export);
        using var nfs = await RawNfs.MountAsync(server.Address, server.MountPort, second);
        Assert.Equal(RawNfs.ReadOnly, (await nfs.CreateAsync(nfs.Root, "new")).Status);
        Assert.Equal(RawNfs.NoEntry, (await first.LookupAsync(first.Root, "file")).Status);
        Assert.Equal(RawNfs.Ok, (await nfs.LookupAsync(nfs.Root, "file")).Status);

        // Another address of this machine is another client.
        var six = new IPEndPoint(IPAddress.IPv6Loopback, server.Port);
        using var fromSix = await RawNfs.MountAsync(six, server.Port, second);
        Assert.NotEqual(RawNfs.ReadOnly, (await fromSix.CreateAsync(fromSix.Root, "new")).Status);
        Assert.Equal(RawNfs.AccessDenied, (await RawNfs.AskForRootAsync(server.Address, Path.Combine(local.Path, "third"))).Status);
    }

    [Fact]
    public async Task Forged_handles_reach_nothing()
    {
        await using var server = await StartAsync("rw,insecure,no_root_squash");
        using var nfs = await RawNfs.MountAsync(server.Address, server.MountPort, server.Export);
        var random = new Random(1813);
        for (var i = 0; i < 2000; i++)
        {
            var forged = (byte[])nfs.Root.Clone();
            forged[i % forged.Length] ^= (byte)random.Next(1, 256);
            Assert.Contains((await nfs.GetAttributesAsync(forged)).Status, new[] { RawNfs.BadHandle, RawNfs.Stale });
        }
    }

    private static Task<NfsServer> StartAsync(string export, params string[] arguments)
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's options");
        return NfsServer.StartAsync(new ServerOptions { Export = export, Arguments = arguments });
    }
}
