using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The Linux kernel's own client by NFSv4.0 and 4.1: files, and locks, over the server's death, too.</summary>
public sealed class LinuxKernelClientV4Tests
{
    [Theory]
    [InlineData("4.1")]
    [InlineData("4.0")]
    public async Task Files_behave_as_programs_expect(string version)
    {
        LinuxGuest.Need();
        await using var server = await NfsServer.StartAsync();
        Directory.CreateDirectory(server.PathOf("many"));
        for (var i = 0; i < 300; i++)
            File.Create(server.PathOf($"many/file-{i}")).Dispose();

        await using var guest = LinuxGuest.StartV4(server, version, "operations.sh", ["300"]);
        await guest.EndsWellAsync(checks: 64);
        Assert.Equal(0, await server.StopAsync());
    }

    [Theory, Trait("Run", "full")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public void Locks_and_open_files_outlive_the_death_of_the_server(string version)
    {
        LinuxGuest.Need();
        var reclaim = Machine.NeedShared("linux-client/reclaim");
        using var directory = new TemporaryDirectory();
        var export = directory.Folder("export");
        Command.Run(
            reclaim,
            [
                version, Machine.Nfsd, "--export", $"{export}:rw,insecure,no_root_squash", "--bind", "0.0.0.0", "--port", "2049", "--rpcbind", "none",
                "--grace", "15", "--lease", "15", "--state", directory.Folder("state"),
            ],
            new Dictionary<string, string> { ["EXPORT"] = export, ["DOTNET_ROOT"] = Machine.DotnetRoot }).Succeeds();
    }

    [Theory]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public async Task Two_machines_compete_for_locks_and_each_gets_its_turn(string version)
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync("--lease", "15", "--grace", "15");
        await using var one = LinuxGuest.StartV4On(network, 1, server, version, "locks.sh");
        await using var two = LinuxGuest.StartV4On(network, 2, server, version, "locks.sh");
        await one.HasOpenedAsync();
        await two.HasOpenedAsync();
        Assert.Equal("ok", await one.AskAsync("a", "w 0 10"));
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 5 10"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("b", "r 9 1"));
        Assert.Equal("ok", await two.AskAsync("a", "r 10 10"));
        Assert.Equal("ok", await one.AskAsync("b", "r 15 0"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("a", "w 19 1"));
        await two.TellAsync("a W 5 1");
        Assert.Equal("ok", await one.AskAsync("a", "u 0 10"));
        Assert.Equal("ok", await two.HearAsync("a "));
        Assert.Equal("errno EAGAIN", await one.AskAsync("a", "w 5 1"));
    }
}
