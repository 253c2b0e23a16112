using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The Linux kernel's own client by NFSv4.0 and 4.1: files, and locks, over the server's death, too.</summary>
public sealed class LinuxKernelClientV4Tests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

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
        await OpenedAsync(one);
        await OpenedAsync(two);
        Assert.Equal("ok", await AskAsync(one, "a", "w 0 10"));
        Assert.Equal("errno EAGAIN", await AskAsync(two, "a", "w 5 10"));
        Assert.Equal("errno EAGAIN", await AskAsync(one, "b", "r 9 1"));
        Assert.Equal("ok", await AskAsync(two, "a", "r 10 10"));
        Assert.Equal("ok", await AskAsync(one, "b", "r 15 0"));
        Assert.Equal("errno EAGAIN", await AskAsync(one, "a", "w 19 1"));
        await two.TellAsync("a W 5 1");
        Assert.Equal("ok", await AskAsync(one, "a", "u 0 10"));
        Assert.Equal("ok", await HearAsync(two, "a"));
        Assert.Equal("errno EAGAIN", await AskAsync(one, "a", "w 5 1"));
    }

    private static async Task OpenedAsync(LinuxGuest guest)
    {
        for (var i = 0; i < 2; i++)
            Assert.EndsWith(" open", await guest.HearAsync("").WaitAsync(s_limit), StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(LinuxGuest guest, string process, string command)
    {
        await guest.TellAsync($"{process} {command}");
        return await HearAsync(guest, process);
    }

    private static Task<string> HearAsync(LinuxGuest guest, string process) => guest.HearAsync($"{process} ").WaitAsync(s_limit);
}
