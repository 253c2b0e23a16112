using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The daemon without root's rights, on a directory of its own and a high port.</summary>
public sealed class UnprivilegedTests
{
    [Fact]
    public async Task It_serves_its_own_directory_and_says_what_it_cannot_do()
    {
        Machine.NeedCommand("nfs-cp", "libnfs-utils");
        using var local = new TemporaryDirectory();
        var source = Path.Combine(local.Path, "source");
        File.WriteAllText(source, "by nobody in particular");

        var nobody = Nobody.Of(local);
        await using var server = await NfsServer.StartAsync(new ServerOptions { Executable = nobody.Nfsd, Owner = nobody.Owner, RunBy = nobody.RunBy });
        Command.Run("nfs-cp", [source, server.Url("file")]).Succeeds();
        Assert.Equal("by nobody in particular", File.ReadAllText(server.PathOf("file")));
        Assert.Equal("by nobody in particular", Command.Run("nfs-cat", [server.Url("file")]).Succeeds().Output);
        Assert.Contains("file", Command.Run("nfs-ls", [server.Url()]).Succeeds().Output, StringComparison.Ordinal);

        await server.SaysAsync("not root");
        Assert.Equal(0, await server.StopAsync());
    }
}
