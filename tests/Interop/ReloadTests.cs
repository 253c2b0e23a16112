using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>SIGHUP: the daemon reads its files anew, and clients that are there go on.</summary>
public sealed class ReloadTests
{
    private const int HangUp = 1;

    [Fact]
    public async Task What_is_exported_and_the_log_level_change_while_clients_go_on()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's files");
        using var local = new TemporaryDirectory();
        var (second, exports, configuration) = (local.Folder("second"), Path.Combine(local.Path, "exports"), Path.Combine(local.Path, "nfsd.conf"));
        File.WriteAllText(Path.Combine(second, "file"), "second");
        File.WriteAllText(exports, $"{local.Folder("third")} 127.0.0.1(ro,insecure)\n");
        File.WriteAllText(configuration, $"[nfsd]\nexports = {exports}\nlog-level = information\ndrain = 5\n");
        await using var server = await NfsServer.StartAsync(new ServerOptions { Arguments = ["--config", configuration] });
        using var first = await RawNfs.MountAsync(server.Address, server.MountPort, server.Export);
        Assert.Equal(RawNfs.NoEntry, (await RawNfs.AskForRootAsync(server.Address, second)).Status);

        File.WriteAllText(exports, $"{second} 127.0.0.1(ro,insecure)\n");
        File.WriteAllText(configuration, $"[nfsd]\nexports = {exports}\nlog-level = debug\ndrain = 6\n");
        server.Signal(HangUp);
        await server.SaysAsync("drain: changed, but that takes a restart");
        Assert.Contains($"Reloaded: {server.Export} (rw), {second} (ro); log level Debug", server.Log, StringComparison.Ordinal);
        Assert.Equal(RawNfs.Ok, (await first.CreateAsync(first.Root, "still-there")).Status); // the same connection
        using (var nfs = await RawNfs.MountAsync(server.Address, server.MountPort, second))
            Assert.Equal(RawNfs.Ok, (await nfs.LookupAsync(nfs.Root, "file")).Status);
        Assert.Equal(RawNfs.NoEntry, (await RawNfs.AskForRootAsync(server.Address, Path.Combine(local.Path, "third"))).Status);
        await server.SaysAsync("dbug: Kworker.SunRpc"); // a connection's coming and going

        File.WriteAllText(exports, $"{second} 127.0.0.1(what)\n");
        server.Signal(HangUp);
        await server.SaysAsync("Not reloaded, all stays as it was");
        Assert.Contains($"{exports}:1: unknown option 'what'", server.Log, StringComparison.Ordinal);
        Assert.Equal(RawNfs.Ok, (await RawNfs.AskForRootAsync(server.Address, second)).Status);
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_program_for_the_record_of_clients_that_was_missing_is_found_when_it_is_there()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's record");
        using var local = new TemporaryDirectory();
        var program = Path.Combine(local.Path, "nfsdcltrack");
        await using var server = await NfsServer.StartAsync(new ServerOptions { Arguments = ["--cltrack", program, "--log-level", "information"] });
        await server.SaysAsync($"NFSv4 clients are not recorded: {program}");
        var record = Path.Combine(server.State, "nfsdcltrack", "main.sqlite");
        Assert.False(File.Exists(record));

        foreach (var file in (string[])["", ".dll"])
            File.CreateSymbolicLink(program + file, Machine.NfsdCltrack + file);
        server.Signal(HangUp);
        await server.SaysAsync($"NFSv4 clients are recorded by {program}");
        Assert.True(File.Exists(record));
        Assert.Equal(0, await server.StopAsync());
    }
}
