using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>The server is killed by SIGKILL, or asked to end, and started again: what clients hold goes on.</summary>
public sealed class ServerRestartTests
{
    [Theory]
    [InlineData("3")]
    [InlineData("4.1")]
    [InlineData("4.0", Traits = ["Run", "full"])]
    public Task A_large_file_is_whole_though_the_server_was_killed_while_it_was_written(string version) => KillDuringWriteAsync(version, mebibytes: 24, kills: 1);

    [Theory, Trait("Run", "full")]
    [InlineData("3", 8)]
    [InlineData("4.0", 3)]
    [InlineData("4.1", 8)]
    public Task A_large_file_is_whole_though_the_server_was_killed_many_times(string version, int kills) => KillDuringWriteAsync(version, mebibytes: 160, kills);

    [Theory]
    [InlineData("3", Traits = ["Run", "full"])]
    [InlineData("4.0", Traits = ["Run", "full"])]
    [InlineData("4.1")]
    public async Task Files_stay_open_though_the_server_was_killed_also_one_without_a_name(string version)
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync([.. ServerOptions.Grace(version), "--log-level", "debug"]);
        await using var guest = LinuxGuest.StartOn(network, 1, server, version, "open-files.sh");
        await guest.SaysAsync("open");
        await server.KillAsync();
        await server.StartAgainAsync();
        await guest.TellAsync("go");
        await guest.EndsWellAsync(checks: 10);
        if (version != "3")
            await server.SaysAsync("nfsd4_umh_cltrack_upcall: cmd: check"); // it has reclaimed, by the record
        Assert.Equal("one\ntwo\n", File.ReadAllText(server.PathOf("kept")));
        Assert.Equal("one\ntwo\n", File.ReadAllText(server.PathOf("log")));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task Handles_go_on_after_a_restart_and_stale_ones_are_told()
    {
        await using var server = await NfsServer.StartAsync();
        byte[] root, kept, removed;
        using (var nfs = await MountAsync(server))
        {
            root = nfs.Root;
            Directory.CreateDirectory(server.PathOf("a/b"));
            File.WriteAllText(server.PathOf("a/b/kept"), "kept");
            var a = (await nfs.LookupAsync(root, "a")).Handle;
            var b = (await nfs.LookupAsync(a, "b")).Handle;
            kept = (await nfs.LookupAsync(b, "kept")).Handle;
            removed = (await nfs.CreateAsync(b, "removed")).Handle;
            Assert.Equal(RawNfs.Ok, await nfs.RemoveAsync(b, "removed"));
        }

        await server.KillAsync();
        // What is renamed while the server is away is the same file nevertheless (without root's rights a file is found again by its path only).
        if (Machine.IsRoot)
            File.Move(server.PathOf("a/b/kept"), server.PathOf("a/moved"));
        await server.StartAgainAsync();

        using var again = await MountAsync(server);
        Assert.Equal(root, again.Root);
        Assert.Equal("kept"u8.ToArray(), await again.ReadAsync(kept, 0, 100));
        Assert.Equal(RawNfs.Stale, (await again.GetAttributesAsync(removed)).Status);
    }

    [Fact]
    public async Task A_restart_changes_the_write_verifier_and_nothing_else_does()
    {
        await using var server = await NfsServer.StartAsync();
        ulong before;
        byte[] file;
        using (var nfs = await MountAsync(server))
        {
            file = (await nfs.CreateAsync(nfs.Root, "file")).Handle;
            (_, before) = await nfs.WriteAsync(file, 0, "one"u8.ToArray(), RawNfs.Stable.Unstable);
            var (committed, stable) = await nfs.WriteAsync(file, 3, "two"u8.ToArray(), RawNfs.Stable.FileSync);
            Assert.Equal((RawNfs.Stable.FileSync, before), (committed, stable));
            Assert.Equal(before, await nfs.CommitAsync(file));
        }

        await server.KillAsync();
        await server.StartAgainAsync();

        using var again = await MountAsync(server);
        var (_, after) = await again.WriteAsync(file, 6, "three"u8.ToArray(), RawNfs.Stable.Unstable);
        Assert.NotEqual(before, after);
        Assert.Equal(after, await again.CommitAsync(file));
        Assert.Equal("onetwothree", File.ReadAllText(server.PathOf("file")));
    }

    [Fact]
    public async Task An_exclusive_create_repeated_after_a_restart_is_the_same_create()
    {
        await using var server = await NfsServer.StartAsync();
        byte[] first;
        using (var nfs = await MountAsync(server))
            (_, first) = await nfs.CreateExclusiveAsync(nfs.Root, "mine", 0x0123456789abcdef);

        await server.KillAsync();
        await server.StartAgainAsync();

        using var again = await MountAsync(server);
        var (status, second) = await again.CreateExclusiveAsync(again.Root, "mine", 0x0123456789abcdef);
        Assert.Equal(RawNfs.Ok, status);
        Assert.Equal(first, second);
        Assert.Equal(RawNfs.Exists, (await again.CreateExclusiveAsync(again.Root, "mine", 0xfedcba9876543210)).Status);
    }

    [Fact]
    public async Task Asked_to_end_it_ends_well_and_keeps_what_was_written()
    {
        await using var server = await NfsServer.StartAsync();
        using var nfs = await MountAsync(server);
        var (_, file) = await nfs.CreateAsync(nfs.Root, "file");
        await nfs.WriteAsync(file, 0, "unstable"u8.ToArray(), RawNfs.Stable.Unstable);

        Assert.Equal(0, await server.StopAsync());

        await nfs.Rpc.ClosedByServerAsync();
        Assert.Equal("unstable", File.ReadAllText(server.PathOf("file")));
    }

    private static Task<RawNfs> MountAsync(NfsServer server) => RawNfs.MountAsync(server.Address, server.MountPort, server.Export);

    private static async Task KillDuringWriteAsync(string version, int mebibytes, int kills)
    {
        LinuxGuest.Need();
        await using var server = await NfsServer.StartAsync(new ServerOptions { Arguments = ServerOptions.Grace(version) });
        await using var guest = LinuxGuest.Start(server, version, "large-write.sh", [$"{mebibytes}"]);
        for (var i = 1; i <= kills; i++)
        {
            await guest.SaysAsync($"written {mebibytes * i / (kills + 1)}");
            await server.KillAsync();
            await server.StartAgainAsync();
        }

        var values = await guest.EndsWellAsync(checks: 5);
        var large = Command.Run("sha1sum", [server.PathOf("large")]).Succeeds().Output;
        Assert.Equal(values["sha1"], large.Split(' ')[0]);
        Assert.Equal(0, await server.StopAsync());
    }
}
