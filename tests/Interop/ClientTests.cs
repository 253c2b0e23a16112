using System.Security.Cryptography;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>Our client and the nfs command with NFS-Ganesha and Linux's own server, which are not of our making; and with ours when its power is cut.</summary>
public sealed class ClientTests
{
    [Fact]
    public Task Large_files_are_whole_on_both_ways() => CopyBothWaysAsync(StartGaneshaAsync, mebibytes: 96);

    [Fact, Trait("Run", "full")]
    public Task A_gibibyte_is_whole_on_both_ways() => CopyBothWaysAsync(StartGaneshaAsync, mebibytes: 1024);

    // Fits into the guest's memory, where its export is.
    [Fact, Trait("Run", "full")]
    public Task Large_files_are_whole_on_both_ways_with_linuxs_own_server() => CopyBothWaysAsync(Knfsd.StartAsync, mebibytes: 48);

    [Fact]
    public async Task Directories_are_copied_listed_and_removed_with_all_that_is_in_them()
    {
        await using Ganesha server = await Ganesha.StartAsync();
        using var here = new TemporaryDirectory();
        string tree = here.Folder("tree");
        Directory.CreateDirectory(Path.Combine(tree, "a/b"));
        for (int i = 0; i < 300; i++)
            await File.WriteAllTextAsync(Path.Combine(tree, $"a/file {i}"), $"{i}");
        await File.WriteAllBytesAsync(Path.Combine(tree, "a/b/empty"), []);
        File.CreateSymbolicLink(Path.Combine(tree, "link"), "a/b");

        server.Nfs("cp", "-r", tree, server.Url()).Succeeds();
        Command.Run("diff", ["-r", "--no-dereference", tree, server.PathOf("tree")]).Succeeds();
        string back = Path.Combine(here.Path, "back");
        server.Nfs("cp", "-r", server.Url("tree"), back).Succeeds();
        Command.Run("diff", ["-r", "--no-dereference", tree, back]).Succeeds();

        Assert.Equal(301, server.Nfs("ls", server.Url("tree/a")).Succeeds().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("link -> a/b", server.Nfs("ls", "-l", server.Url("tree")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Contains("size: 3", server.Nfs("stat", server.Url("tree/a/file 299")).Succeeds().Output, StringComparison.Ordinal);
        Assert.Equal("299", server.Nfs("cat", server.Url("tree/a/file 299")).Succeeds().Output);
        Assert.Contains("available", server.Nfs("df", server.Url()).Succeeds().Output, StringComparison.Ordinal);

        Assert.Equal(1, server.Nfs("rm", server.Url("tree")).ExitCode);
        server.Nfs("rm", "-r", server.Url("tree")).Succeeds();
        Assert.Empty(Directory.GetFileSystemEntries(server.Export));
        Command missing = server.Nfs("cat", server.Url("nothing"));
        Assert.Equal((1, "nfs: LOOKUP /nothing: no such file or directory\n"), (missing.ExitCode, missing.Error));
    }

    [Fact]
    public Task A_server_that_stalls_is_waited_for() => CopyOverStallAsync(TimeSpan.Zero);

    [Fact, Trait("Run", "full")]
    public Task A_server_that_stalls_for_a_minute_is_waited_for() => CopyOverStallAsync(TimeSpan.FromMinutes(1));

    [Fact]
    public async Task A_soft_client_gives_up_on_it()
    {
        await using Ganesha server = await Ganesha.StartAsync();
        await File.WriteAllTextAsync(server.PathOf("file"), "text");
        server.Stall();
        Command cat = server.Nfs("--soft", "--timeout", "1", "--retrans", "1", "cat", server.Url("file"));
        server.GoOn();
        Assert.Equal(1, cat.ExitCode);
        Assert.Contains("not responding, timed out", cat.Error, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_file_removed_while_it_is_open_lives_until_it_is_closed() => RemoveOpenFileAsync(StartGaneshaAsync);

    [Fact, Trait("Run", "full")]
    public Task So_does_one_at_linuxs_own_server() => RemoveOpenFileAsync(Knfsd.StartAsync);

    private static async Task<IPeerServer> StartGaneshaAsync() => await Ganesha.StartAsync();

    private static async Task RemoveOpenFileAsync(Func<Task<IPeerServer>> start)
    {
        await using IPeerServer server = await start();
        await using Talk client = Talk.Start(server.Command(Machine.NfsHost, server.UrlOf("")));
        Assert.Equal("ok mounted", await client.HearAsync());
        Assert.Equal("ok a", await client.AskAsync("open a"));
        Assert.Equal("ok a", await client.AskAsync("write a hello"));
        Assert.Equal("ok a", await client.AskAsync("remove a"));
        Assert.StartsWith(".nfs", Assert.Single(await server.ListAsync()), StringComparison.Ordinal);
        Assert.Equal("ok hello", await client.AskAsync("read a"));
        Assert.Equal("LOOKUP a: no such file or directory", await client.AskAsync("remove a"));
        Assert.Equal("ok a", await client.AskAsync("close a"));
        Assert.Empty(await server.ListAsync());
        Assert.Equal(0, await client.EndsAsync());
    }

    [Fact]
    public Task No_byte_is_lost_when_the_servers_power_is_cut() => CutDuringCopyAsync(mebibytes: 48, cuts: 2);

    [Fact, Trait("Run", "full")]
    public Task No_byte_is_lost_when_the_servers_power_is_cut_many_times() => CutDuringCopyAsync(mebibytes: 256, cuts: 10);

    // SIGKILL alone would lose nothing: the page cache outlives it. This server takes back what was not synced, then is killed.
    private static async Task CutDuringCopyAsync(int mebibytes, int cuts)
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: the peer's power cannot be cut");
        await using NfsServer server = await NfsServer.StartAsync(new ServerOptions { Executable = Machine.PowerCutHost });
        using var here = new TemporaryDirectory();
        string file = RandomFile(here, mebibytes);
        await using Talk copy = Talk.Start(
            Machine.Nfs, "--timeout", "5", "cp", file, $"nfs://127.0.0.1:{server.Port}{server.Export}/large");
        for (int i = 0; i < cuts; i++)
        {
            await server.TellAsync($"cut {2 << 20}");
            await server.EndedAsync();
            Assert.False(copy.HasEnded, copy.Errors);
            await server.StartAgainAsync();
        }
        Assert.True(await copy.EndsAsync() == 0, copy.Errors);
        // All of it is on disk: one more cut takes nothing.
        await server.TellAsync("cut 0");
        await server.EndedAsync();
        Assert.EndsWith("lost 0", server.Log.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(Hash(file), Hash(server.PathOf("large")));
    }

    private static async Task CopyOverStallAsync(TimeSpan stalls)
    {
        await using Ganesha server = await Ganesha.StartAsync();
        using var here = new TemporaryDirectory();
        string file = RandomFile(here, mebibytes: 192);
        await using Talk copy = Talk.Start(server.Command(Machine.Nfs, "--timeout", "1", "--retrans", "1", "cp", file, server.Url("large")));
        while (!File.Exists(server.PathOf("large")) || new FileInfo(server.PathOf("large")).Length == 0)
        {
            Assert.False(copy.HasEnded, copy.Errors);
            await Task.Yield();
        }
        server.Stall();
        await copy.SaysErrorAsync("nfs: server 127.0.0.1 not responding, still trying");
        await Task.Delay(stalls); // how long it is away is what is tried
        server.GoOn();
        await copy.SaysErrorAsync("nfs: server 127.0.0.1 OK");
        Assert.Equal(0, await copy.EndsAsync());
        Assert.Equal(Hash(file), Hash(server.PathOf("large")));
    }

    private static async Task CopyBothWaysAsync(Func<Task<IPeerServer>> start, int mebibytes)
    {
        await using IPeerServer server = await start();
        using var here = new TemporaryDirectory();
        string file = RandomFile(here, mebibytes);
        string back = Path.Combine(here.Path, "back");
        server.Nfs("cp", file, server.UrlOf("large")).Succeeds();
        Assert.Equal(Hash(file), await server.HashAsync("large"));
        server.Nfs("cp", server.UrlOf("large"), back).Succeeds();
        Assert.Equal(Hash(file), Hash(back));
    }

    private static string RandomFile(TemporaryDirectory directory, int mebibytes)
    {
        string path = Path.Combine(directory.Path, "file");
        using FileStream file = File.Create(path);
        byte[] part = new byte[1 << 20];
        for (int i = 0; i < mebibytes; i++)
        {
            RandomNumberGenerator.Fill(part);
            file.Write(part);
        }
        file.Write(part.AsSpan(0, 12345)); // no multiple of any block
        return path;
    }

    private static string Hash(string path)
    {
        using FileStream file = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(file));
    }
}
