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

        await using var server = await NfsServer.StartAsync(AsNobody(local));
        Command.Run("nfs-cp", [source, server.Url("file")]).Succeeds();
        Assert.Equal("by nobody in particular", File.ReadAllText(server.PathOf("file")));
        Assert.Equal("by nobody in particular", Command.Run("nfs-cat", [server.Url("file")]).Succeeds().Output);
        Assert.Contains("file", Command.Run("nfs-ls", [server.Url()]).Succeeds().Output, StringComparison.Ordinal);

        await server.SaysAsync("not root");
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task A_privileged_port_is_refused_in_words()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's words");
        using var local = new TemporaryDirectory();
        var options = AsNobody(local);
        var state = local.Folder("state");
        if (options.Owner is { } owner)
            Command.Run("chown", [owner, state]).Succeeds();
        string[] line = [.. options.RunBy, options.Executable!, "--export", $"{local.Path}:ro", "--port", "99", "--state", state, "--rpcbind", "none"];
        var command = Command.Run(line[0], line[1..]);
        Assert.NotEqual(0, command.ExitCode);
        Assert.Contains("99", command.Output + command.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", command.Output + command.Error, StringComparison.Ordinal);
    }

    /// <summary>How to run it without rights: as nobody if these tests are root's, with a copy of it that nobody may read.</summary>
    private static ServerOptions AsNobody(TemporaryDirectory directory)
    {
        if (!Machine.IsRoot)
            return new ServerOptions { Executable = Machine.Nfsd };
        var copy = directory.Folder("nfsd");
        Command.Run("cp", ["-r", Path.GetDirectoryName(Machine.Nfsd)! + "/.", copy]).Succeeds();
        Command.Run("chmod", ["-R", "a+rX", copy]).Succeeds();
        return new ServerOptions
        {
            Executable = Path.Combine(copy, "nfsd"),
            Owner = "65534:65534",
            RunBy = [Machine.NeedCommand("setpriv", "util-linux"), "--reuid=65534", "--regid=65534", "--clear-groups"],
        };
    }
}
