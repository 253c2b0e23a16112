using System.Globalization;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The units of packaging/systemd: understood by systemd, and the daemon does its work within what they leave it.</summary>
public sealed class ServiceUnitTests
{
    /// <summary>Of 10, in tenths: what systemd's own reckoning calls OK at most, less what the unit gives away on purpose.</summary>
    private const string Exposure = "32";

    private const string Installed = "/usr/lib/kworker/nfsd";

    [Fact]
    public void Systemd_understands_them_and_finds_little_exposed()
    {
        var analyze = Machine.NeedCommand("systemd-analyze", "systemd");
        using var local = new TemporaryDirectory();
        // The program is here, not where it will be installed.
        Assert.StartsWith($"{Installed} ", ServiceUnit.Service["ExecStart"], StringComparison.Ordinal);
        foreach (var unit in new[] { "kworker-nfsd.service", "kworker-nfsd.socket" })
        {
            var text = File.ReadAllText(ServiceUnit.PathOf(unit));
            File.WriteAllText(Path.Combine(local.Path, unit), text.Replace($"={Installed} ", $"={Machine.Nfsd} ", StringComparison.Ordinal));
        }

        var service = Path.Combine(local.Path, "kworker-nfsd.service");
        var verified = Command.Run(analyze, ["verify", "--man=no", service, Path.Combine(local.Path, "kworker-nfsd.socket")]).Succeeds();
        Assert.DoesNotContain("kworker-nfsd", verified.Output + verified.Error, StringComparison.Ordinal);
        Command.Run(analyze, ["security", "--no-pager", "--offline=yes", $"--threshold={Exposure}", service]).Succeeds();
    }

    [Fact]
    public async Task What_they_take_from_it_the_daemon_does_not_need()
    {
        Machine.NeedRoot("give a daemon some of its rights");
        var (unshare, setpriv, bwrap) = (Machine.NeedCommand("unshare", "util-linux"), Machine.NeedCommand("setpriv", "util-linux"), Machine.NeedCommand("bwrap", "bubblewrap"));
        var copy = Machine.NeedCommand("nfs-cp", "libnfs-utils");
        var cat = Machine.NeedCommand("nfs-cat", "libnfs-utils");
        var unit = ServiceUnit.Service;
        using var local = new TemporaryDirectory();
        var filter = Path.Combine(local.Path, "filter");
        SystemCallFilter.Write(unit, filter);
        foreach (var directive in new[] { "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes", "ProcSubset=pid", "ProtectProc=invisible", "NoNewPrivileges=yes" })
            Assert.Equal(directive[(directive.IndexOf('=') + 1)..], unit[directive[..directive.IndexOf('=')]]);

        // What those directives come to, without systemd. The server's directories are in the /tmp that it is not to see: they are what ReadWritePaths= and StateDirectory= say.
        var capabilities = string.Join(',', unit.Words("CapabilityBoundingSet").Select(word => '+' + word["CAP_".Length..].ToLowerInvariant()));
        var script =
            $"""
            mount -t proc -o subset=pid,hidepid=invisible proc {local.Folder("proc")} || exit 1
            for word; do [ "$last" = --export ] && export_="$word"; [ "$last" = --state ] && state="$word"; last="$word"; done; export_="$(echo "$export_" | cut -d: -f1)"
            exec {bwrap} --ro-bind / / --tmpfs /home --tmpfs /root --tmpfs /tmp --tmpfs /var/tmp --dev /dev --bind {local.Folder("proc")} /proc \
              --ro-bind {Machine.Repository} {Machine.Repository} --ro-bind {Machine.DotnetRoot} {Machine.DotnetRoot} --bind "$export_" "$export_" --bind "$state" "$state" \
              --cap-add ALL --seccomp 3 -- {setpriv} --bounding-set=-all,{capabilities} --inh-caps=-all --ambient-caps=-all --no-new-privs "$@" 3<{filter}
            """;
        await using var network = await PrivateNetwork.StartAsync();
        await using var server = await NfsServer.StartAsync(new ServerOptions
        {
            Rpcbind = "builtin", // port 111
            RunBy = [.. network.RunBy, unshare, "--mount", "sh", "-c", script, "sh"],
        });

        var daemon = ChildOf(server.ProcessId);
        var status = File.ReadAllLines($"/proc/{daemon}/status").Select(line => line.Split(":\t")).ToDictionary(pair => pair[0], pair => pair[^1]);
        Assert.Equal(("2", "1"), (status["Seccomp"], status["NoNewPrivs"]));
        Assert.Equal((ulong)unit.Words("CapabilityBoundingSet").Length, ulong.PopCount(ulong.Parse(status["CapEff"], NumberStyles.HexNumber, CultureInfo.InvariantCulture)));
        Assert.Equal(status["CapEff"], status["CapBnd"]);

        // Root and another user, each as himself; a directory that only the other may write to.
        var source = Path.Combine(local.Path, "source");
        File.WriteAllText(source, "from within");
        Command.Run("chown", ["1234:99", server.Export]).Succeeds();
        Command.Run("chmod", ["755", server.Export]).Succeeds();
        network.Run(copy, source, server.Url("of-root")).Succeeds();
        network.Run(copy, source, server.Url("of-another") + "&uid=1234&gid=99").Succeeds();
        Assert.NotEqual(0, network.Run(copy, source, server.Url("of-a-third") + "&uid=1235&gid=98").ExitCode);
        Assert.Equal("0:0\n1234:99\n", Command.Run("stat", ["-c", "%u:%g", server.PathOf("of-root"), server.PathOf("of-another")]).Succeeds().Output);
        Assert.Equal("from within", network.Run(cat, server.Url("of-another") + "&uid=1234&gid=99").Succeeds().Output);

        // The record of clients and files by handle are told of when they are not to be had.
        Assert.DoesNotContain(" warn: ", server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(" fail: ", server.Log, StringComparison.Ordinal);
        Command.Run("kill", ["-TERM", $"{daemon}"]).Succeeds();
        Assert.Equal(0, await server.EndedAsync());
    }

    /// <summary>bubblewrap starts what it runs, and ends with it.</summary>
    private static int ChildOf(int process) => int.Parse(File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ')[0], CultureInfo.InvariantCulture);
}
