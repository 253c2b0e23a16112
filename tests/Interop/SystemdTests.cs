using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>The daemon as systemd's service: what it says to systemd, and the sockets that it takes from it.</summary>
public sealed partial class SystemdTests
{
    private const int HangUp = 1;
    private const int Monotonic = 1; // CLOCK_MONOTONIC
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    [GeneratedRegex(@"^RELOADING=1\nMONOTONIC_USEC=(\d+)$")]
    private static partial Regex Reloading { get; }

    [Fact]
    public async Task It_says_when_it_serves_reloads_and_ends()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's words");
        using var local = new TemporaryDirectory();
        using var manager = new ServiceManager(local.Path);
        var exports = Path.Combine(local.Path, "exports");
        var other = local.Folder("other");
        File.WriteAllText(exports, "");
        await using var server = await NfsServer.StartAsync(new ServerOptions { Arguments = ["--exports", exports], RunBy = ["env", $"NOTIFY_SOCKET={manager.Path}"] });
        Assert.Equal($"READY=1\nSTATUS=Serving {server.Export} (rw)", await manager.HearAsync());

        File.WriteAllText(exports, $"{other} 127.0.0.1(ro)\n");
        await ReloadAsync($"Serving {server.Export} (rw), {other} (ro)");
        File.WriteAllText(exports, $"{other} 127.0.0.1(what)\n");
        await ReloadAsync($"Serving {server.Export} (rw), {other} (ro); the last reload was refused: {exports}:1: unknown option 'what'.");
        File.WriteAllText(exports, "");
        await ReloadAsync($"Serving {server.Export} (rw)");

        var end = server.StopAsync();
        Assert.StartsWith("STOPPING=1\nSTATUS=Ending", await manager.HearAsync(), StringComparison.Ordinal);
        Assert.Equal(0, await end);

        async Task ReloadAsync(string due)
        {
            var before = MonotonicMicroseconds();
            server.Signal(HangUp);
            var begun = Reloading.Match(await manager.HearAsync());
            Assert.InRange(long.Parse(begun.Groups[1].Value, CultureInfo.InvariantCulture), before, MonotonicMicroseconds());
            Assert.Equal($"READY=1\nSTATUS={due}", await manager.HearAsync());
        }
    }

    [Fact]
    public async Task It_says_that_it_lives_as_often_as_it_is_asked_to()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's words");
        using var local = new TemporaryDirectory();
        using var manager = new ServiceManager(local.Path);
        await using var server = await NfsServer.StartAsync(new ServerOptions { RunBy = ["env", $"NOTIFY_SOCKET={manager.Path}", "WATCHDOG_USEC=100000"] });
        var heard = new List<string>();
        while (heard.Count(line => line == "WATCHDOG=1") < 3)
            heard.Add(await manager.HearAsync());
        Assert.Single(heard, line => line.StartsWith("READY=1", StringComparison.Ordinal));
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task It_serves_the_sockets_that_systemd_has_bound()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: Ganesha binds its own");
        var activate = Machine.NeedCommand("systemd-socket-activate", "systemd");
        using var local = new TemporaryDirectory();
        var port = Machine.FreePort();
        var address = $"[::]:{port}"; // of both families
        // One passes UDP, and starts the other at the first datagram; that passes it on with TCP, and starts the daemon at the first connection.
        await using var daemon = Talk.Start(
            activate, "--datagram", $"--listen={address}", "-E", "DOTNET_ROOT", activate, $"--listen={address}", "-E", "DOTNET_ROOT",
            Machine.Nfsd, "--export", $"{local.Path}:ro,insecure", "--port", "1", "--state", local.Folder("state"), "--rpcbind", "none");
        await daemon.SaysErrorAsync($"Listening on {address} as 3");

        using var udp = new UdpClient();
        udp.Connect(IPAddress.Loopback, port);
        await udp.SendAsync(NullCall(0x4b57));
        await daemon.SaysErrorAsync($"Listening on {address} as 4");
        using var nfs = await RawNfs.MountAsync(new IPEndPoint(IPAddress.Loopback, port), port, local.Path);
        Assert.Equal(RawNfs.Ok, (await nfs.LookupAsync(nfs.Root, "state")).Status);

        // What was sent before there was anybody is answered, too.
        var reply = (await udp.ReceiveAsync().WaitAsync(s_limit)).Buffer;
        Assert.Equal(0x4b57u, BinaryPrimitives.ReadUInt32BigEndian(reply));
        Assert.Equal([1, .. new byte[16]], reply[7..]); // a reply, accepted, without a verifier, success
        using var six = await RawNfs.MountAsync(new IPEndPoint(IPAddress.IPv6Loopback, port), port, local.Path);

        await daemon.SaysErrorAsync("The sockets are systemd's");
        daemon.Signal("TERM");
        Assert.Equal(0, await daemon.EndsAsync());
    }

    [Fact]
    public async Task It_writes_to_the_journal_what_the_journal_reads()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's words");
        using var local = new TemporaryDirectory();
        using var journal = new TcpListener(IPAddress.Loopback, 0);
        journal.Start();
        // The journal's end of standard error is a socket, which the environment names by its inode: any socket will do.
        var script = $"exec 2>/dev/tcp/127.0.0.1/{((IPEndPoint)journal.LocalEndpoint).Port}; export JOURNAL_STREAM=0:$(readlink /proc/self/fd/2 | tr -dc 0-9); exec \"$@\"";
        await using var server = await NfsServer.StartAsync(new ServerOptions { RunBy = [Machine.NeedCommand("bash", "bash"), "-c", script, "bash"] });
        using var stream = new StreamReader((await journal.AcceptTcpClientAsync()).GetStream());
        Assert.Equal(0, await server.StopAsync());
        var lines = (await stream.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(@"^<6>Kworker\.", line));
    }

    /// <summary>NFSv3's NULL, RFC 5531.</summary>
    private static byte[] NullCall(uint id)
    {
        var call = new byte[40];
        uint[] words = [id, 0, 2, 100003, 3, 0];
        for (var i = 0; i < words.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(call.AsSpan(4 * i), words[i]);
        return call;
    }

    private static long MonotonicMicroseconds()
    {
        Assert.Equal(0, GetTime(Monotonic, out var time));
        return (time.Seconds * 1_000_000) + (time.Nanoseconds / 1000);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out TimeSpecification time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpecification
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
