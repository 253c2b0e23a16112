using System.Diagnostics;
using System.Net;
using Kworker.Lockd.Nlm;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>
/// With nfs-utils' own programs: rpcbind, rpc.statd, sm-notify. Needs them and root (Debian: rpcbind, nfs-common, util-linux). Each runs in a network and
/// file system of its own, in a process of this program that is started for it.
/// </summary>
public sealed class StatdTests
{
    private const string Inside = "KWORKER_STATD_TEST";

    private static readonly IPAddress s_peer = IPAddress.Parse("127.0.0.2");

    [Theory]
    [InlineData(nameof(StatdBelievesOurNotify))]
    [InlineData(nameof(SmNotifyTellsUs))]
    [InlineData(nameof(StatdMonitorsForUs))]
    public async Task Nfs_utils_and_ours_understand_each_other(string what)
    {
        if (Environment.GetEnvironmentVariable(Inside) is null)
        {
            Assert.SkipUnless(Environment.IsPrivilegedProcess, "not run: it takes root to make a network");
            Assert.SkipUnless(
                File.Exists("/usr/sbin/rpc.statd") && File.Exists("/usr/sbin/rpcbind"),
                "not run: there is no rpc.statd or rpcbind here (Debian: apt-get install nfs-common rpcbind)");
            await RunInsideAsync(what);
            return;
        }
        if (Environment.GetEnvironmentVariable(Inside) != what)
            return;
        using Process rpcbind = Process.Start("rpcbind", ["-f"]);
        try
        {
            await AnswersAsync(100000);
            await (what switch
            {
                nameof(StatdBelievesOurNotify) => StatdBelievesOurNotify(),
                nameof(SmNotifyTellsUs) => SmNotifyTellsUs(),
                _ => StatdMonitorsForUs(),
            });
        }
        finally
        {
            rpcbind.Kill();
        }
    }

    // rpc.statd monitors us, on behalf of a lock manager; we restart.
    private static async Task StatdBelievesOurNotify()
    {
        string directory = Directory.CreateTempSubdirectory("nsm-").FullName;
        using Process statd = Process.Start("rpc.statd", ["-F", "--no-notify"]);
        await AnswersAsync(NsmProtocol.Program);
        await using var manager = new LockManager();
        await manager.StartAsync();
        await using (var monitor = new SystemNsm())
        {
            monitor.Start();
            Assert.True(monitor.Monitor("server", s_peer)); // it is we who have that address, too
            await using (var before = new NsmService(new NsmOptions { StateDirectory = directory }))
            {
                before.Start();
                Assert.True(before.Monitor("client", IPAddress.Loopback, s_peer));
            }
            await using var after = new NsmService(new NsmOptions { StateDirectory = directory });
            after.Start();
            after.NotifyAll();
            NlmSmNotify told = await manager.ToldAsync();
            Assert.Equal(after.State, told.State);
            Assert.Equal("127.0.0.2", System.Text.Encoding.Latin1.GetString(told.MonitoredName.Span));
        }
        statd.Kill();
    }

    // A host with nfs-utils restarts: its sm-notify tells whom it has on its list.
    private static async Task SmNotifyTellsUs()
    {
        await using var rpc = new RpcServer(new RpcServerOptions { Name = "nsm", Addresses = [IPAddress.Loopback], Rpcbind = RpcbindMode.System });
        await using var service = new NsmService();
        service.Start();
        rpc.Add(service.ToRpcProgram());
        await rpc.StartAsync();
        Assert.Equal(0, await RunAsync("rpcinfo", "-u", "127.0.0.1", "100024", "1"));
        Assert.Equal(0, await RunAsync("rpcinfo", "-t", "127.0.0.1", "100024", "1"));
        var rebooted = new Completion();
        NsmReboot? reboot = null;
        service.HostRebooted += told =>
        {
            reboot = told;
            rebooted.Complete();
        };
        Assert.True(service.Monitor("client", s_peer));
        const string list = "/var/lib/nfs/sm/127.0.0.1"; // as rpc.statd writes it
        await File.WriteAllTextAsync(list, "0100007f 000186b5 00000003 00000010 00000000000000000000000000000000 127.0.0.1 127.0.0.2\n");
        Assert.Equal(0, await RunAsync("sm-notify", "-f", "-v", "peer"));
        await rebooted.WaitAsync();
        Assert.Equal(("client", s_peer, 1), (reboot!.Value.Name, reboot.Value.Address, reboot.Value.State & 1));
    }

    // We have rpc.statd monitor a host, and it restarts; then we do.
    private static async Task StatdMonitorsForUs()
    {
        string directory = Directory.CreateTempSubdirectory("nsm-").FullName;
        using Process statd = Process.Start("rpc.statd", ["-F", "--no-notify"]);
        await AnswersAsync(NsmProtocol.Program);
        await using var manager = new LockManager();
        await manager.StartAsync();
        int stateBefore;
        await using (var nsm = new SystemNsm(new SystemNsmOptions { StateDirectory = directory }))
        {
            manager.Nsm = nsm;
            var rebooted = new Completion();
            NsmReboot? reboot = null;
            nsm.HostRebooted += told =>
            {
                reboot = told;
                rebooted.Complete();
            };
            nsm.Start();
            stateBefore = nsm.State;
            Assert.False(nsm.HasHostsOfBefore);
            Assert.True(nsm.Monitor("client", s_peer));
            Assert.True(File.Exists("/var/lib/nfs/sm/peer"));
            using var host = new NsmWire("127.0.0.2", await StatdAsync());
            await host.NotifyAsync("client", 77);
            await rebooted.WaitAsync();
            Assert.Equal(new NsmReboot("client", s_peer, 77), reboot);
            await host.NotifyAsync("client", 77);
        }
        await using var next = new SystemNsm(new SystemNsmOptions { StateDirectory = directory, Timeout = TimeSpan.FromSeconds(3) });
        next.Start();
        Assert.True(next.HasHostsOfBefore);
        next.NotifyAll();
        // sm-notify moves the host to the list of those who are to be told (and off that, too, as soon as it has been), and raises the state.
        while (File.Exists("/var/lib/nfs/sm/peer"))
            await Task.Yield();
        next.GraceEnded();
        Assert.True(next.Monitor("client", s_peer));
        statd.Kill();
        await statd.WaitForExitAsync();
        Assert.False(next.Monitor("other", IPAddress.Parse("127.0.0.3"))); // nobody answers
        Assert.NotEqual(0, stateBefore);
    }

    private static async Task<IPEndPoint> StatdAsync()
    {
        using var process = Process.Start(new ProcessStartInfo("rpcinfo", ["-p", "127.0.0.1"]) { RedirectStandardOutput = true })!;
        string text = await process.StandardOutput.ReadToEndAsync();
        string line = text.Split('\n').First(line => line.Contains("100024", StringComparison.Ordinal) && line.Contains("udp", StringComparison.Ordinal));
        return new IPEndPoint(IPAddress.Loopback, int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3], System.Globalization.CultureInfo.InvariantCulture));
    }

    private static async Task AnswersAsync(uint program)
    {
        while (await RunAsync("rpcinfo", "-u", "127.0.0.1", $"{program}") != 0)
            await Task.Yield();
    }

    private static async Task<int> RunAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static async Task RunInsideAsync(string what)
    {
        // A loopback of its own, and its own /run and /var/lib/nfs, so that nothing of the machine's is met.
        const string script = """
            set -e
            ip link set lo up
            mount -t tmpfs none /run && mkdir -p /run/rpcbind && chown _rpc /run/rpcbind
            mount -t tmpfs none /var/lib/nfs && mkdir -p /var/lib/nfs/sm /var/lib/nfs/sm.bak && touch /var/lib/nfs/state && chown -R statd /var/lib/nfs
            echo '127.0.0.1 localhost' >/run/hosts && echo '127.0.0.2 peer' >>/run/hosts && mount --bind /run/hosts /etc/hosts
            exec "$0" -noColor -method "$1"
            """;
        var start = new ProcessStartInfo("unshare", ["--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, Environment.ProcessPath!,
            $"{typeof(StatdTests).FullName}.{nameof(Nfs_utils_and_ours_understand_each_other)}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[Inside] = what;
        using Process process = Process.Start(start)!;
        string[] text = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, string.Concat(text));
    }

    /// <summary>A lock manager as far as rpc.statd has to do with it.</summary>
    private sealed class LockManager : IAsyncDisposable
    {
        private readonly RpcServer _rpc = new(new RpcServerOptions { Name = "lockd", Addresses = [IPAddress.Loopback], Rpcbind = RpcbindMode.System });
        private readonly Completion _told = new();
        private NlmSmNotify _last;

        public LockManager() => _rpc.Add(new RpcProgram(NlmProtocol.Program, "nlockmgr").Procedure<NlmSmNotify, XdrVoid>(
            NlmProtocol.Version4, (uint)NlmProcedure.SmNotify, "SM_NOTIFY", (_, notify) =>
            {
                _last = notify with { MonitoredName = notify.MonitoredName.ToArray() };
                Nsm?.TakeNotify(_last);
                _told.Complete();
                return default;
            }));

        public SystemNsm? Nsm { get; set; }

        public ValueTask StartAsync() => _rpc.StartAsync();

        public async Task<NlmSmNotify> ToldAsync()
        {
            await _told.WaitAsync();
            return _last;
        }

        public ValueTask DisposeAsync() => _rpc.DisposeAsync();
    }
}
