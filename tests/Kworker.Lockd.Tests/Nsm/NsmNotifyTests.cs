using System.Net;
using System.Net.Sockets;
using Kworker.Lockd.Nsm;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>Hosts of before a restart are told of it.</summary>
public sealed class NsmNotifyTests : IAsyncDisposable
{
    private static readonly IPAddress s_here = IPAddress.Parse("127.0.0.1");
    private readonly string _directory = Directory.CreateTempSubdirectory("nsm-").FullName;
    private readonly int _rpcbindPort = NsmPeer.FreePort();
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;

    public NsmNotifyTests() => _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = static _ => { } }); // the watchdog would wonder how time runs

    public async ValueTask DisposeAsync()
    {
        await _system.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private NsmService Start(TimeSpan? giveUpAfter = null)
    {
        var service = new NsmService(new NsmOptions
        {
            StateDirectory = _directory,
            Name = "server",
            RpcbindPort = _rpcbindPort,
            System = _system,
            GiveUpAfter = giveUpAfter ?? TimeSpan.FromDays(1000), // Time here runs as fast as it can: nobody is given up for that.
        });
        service.Start();
        return service;
    }

    private async Task MonitorAsync(params IPAddress[] hosts)
    {
        await using NsmService service = Start();
        foreach (IPAddress host in hosts)
            Assert.True(service.Monitor("host", host, s_here));
    }

    [Fact]
    public async Task A_host_is_told_the_new_state_by_name_and_by_the_address_that_it_knows()
    {
        await using var peer = new NsmPeer("127.0.0.2", _rpcbindPort);
        await peer.StartAsync();
        await MonitorAsync(peer.Address);
        await using NsmService service = Start();
        Assert.True(service.HasHostsOfBefore);
        service.NotifyAll();
        await service.NotifiedAsync();
        Assert.Equal(
            [("127.0.0.1", service.State, s_here), ("server", service.State, s_here)],
            peer.All.Distinct().OrderBy(told => told.Name, StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_host_with_an_IPv6_address_is_told_too()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 && HasIPv6(), "not run: there is no IPv6 here");
        await using var peer = new NsmPeer("::1", _rpcbindPort);
        await peer.StartAsync();
        await using (NsmService before = Start())
            Assert.True(before.Monitor("host", peer.Address, IPAddress.IPv6Loopback));
        await using NsmService service = Start();
        service.NotifyAll();
        await service.NotifiedAsync();
        Assert.Equal(service.State, peer.All[0].State);
    }

    private static bool HasIPv6()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [Fact]
    public async Task Many_hosts_are_told_at_once()
    {
        NsmPeer[] peers = [.. Enumerable.Range(2, 100).Select(number => new NsmPeer($"127.0.0.{number}", _rpcbindPort))];
        foreach (NsmPeer peer in peers)
            await peer.StartAsync();
        // And one that never answers, which holds up nobody.
        IPAddress silent = IPAddress.Parse("127.0.1.1");
        await MonitorAsync([silent, .. peers.Select(peer => peer.Address)]);
        await using NsmService service = Start();
        service.NotifyAll();
        _time.Advance(TimeSpan.FromSeconds(1)); // the second lot
        foreach (NsmPeer peer in peers)
            await peer.Told.WaitAsync();
        Assert.All(peers, peer => Assert.Equal(service.State, peer.All[0].State));
        foreach (NsmPeer peer in peers)
            await peer.DisposeAsync();
    }

    [Fact]
    public async Task A_host_that_comes_up_later_is_told_then()
    {
        await using var peer = new NsmPeer("127.0.0.2", _rpcbindPort);
        await MonitorAsync(peer.Address);
        await using NsmService service = Start();
        service.NotifyAll();
        for (int i = 0; i < 100; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await service.Notifying.FlushAsync();
        }
        Assert.Equal(1, service.NotifyingCount);
        await peer.StartAsync();
        _time.Advance(2 * NsmCall.LongestPatience);
        await service.NotifiedAsync();
        Assert.Equal(service.State, peer.All[0].State);
    }

    [Fact]
    public async Task Waits_between_attempts_double_up_to_a_minute_and_end_after_a_quarter_of_an_hour()
    {
        using var rpcbind = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.2"), _rpcbindPort)); // takes, and does not answer
        await MonitorAsync(IPAddress.Parse("127.0.0.2"));
        var attempts = new List<int>();
        await using (NsmService service = Start(TimeSpan.FromMinutes(15)))
        {
            service.NotifyAll();
            for (int second = 0; service.NotifyingCount > 0; second++)
            {
                await service.Notifying.FlushAsync();
                // What was sent has arrived: this is one machine.
                for (; rpcbind.Available > 0; attempts.Add(second))
                    await rpcbind.ReceiveAsync();
                _time.Advance(TimeSpan.FromSeconds(1));
            }
        }
        Assert.Equal([0, 2, 6, 14, 30, 62, .. Enumerable.Range(0, 13).Select(i => 122 + (i * 60))], attempts);
        await using NsmService after = Start();
        Assert.False(after.HasHostsOfBefore); // given up is given up
    }

    [Fact]
    public async Task Who_was_not_told_before_the_next_restart_is_told_after_it()
    {
        await MonitorAsync(IPAddress.Parse("127.0.0.2"));
        int state;
        await using (NsmService service = Start())
        {
            service.NotifyAll();
            state = service.State;
        }
        await using var peer = new NsmPeer("127.0.0.2", _rpcbindPort);
        await peer.StartAsync();
        await using NsmService next = Start();
        Assert.True(next.HasHostsOfBefore);
        Assert.Equal(state + 2, next.State);
        next.NotifyAll();
        await next.NotifiedAsync();
        Assert.Equal(next.State, peer.All[0].State);
    }

    [Fact]
    public async Task Who_was_told_is_remembered_until_grace_has_ended()
    {
        await using var peer = new NsmPeer("127.0.0.2", _rpcbindPort);
        await peer.StartAsync();
        await MonitorAsync(peer.Address);
        await using (NsmService service = Start())
        {
            service.NotifyAll();
            await service.NotifiedAsync();
        }
        await using (NsmService service = Start())
        {
            Assert.True(service.HasHostsOfBefore); // went down before the host could have its locks back
            service.NotifyAll();
            await service.NotifiedAsync();
            service.GraceEnded();
        }
        await using NsmService last = Start();
        Assert.False(last.HasHostsOfBefore);
    }

    [Fact]
    public async Task An_answer_from_elsewhere_is_none()
    {
        using var rpcbind = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.2"), _rpcbindPort));
        using var forger = new UdpClient(new IPEndPoint(IPAddress.Parse("127.0.0.3"), 0));
        await MonitorAsync(IPAddress.Parse("127.0.0.2"));
        await using NsmService service = Start();
        service.NotifyAll();
        UdpReceiveResult asked = await rpcbind.ReceiveAsync();
        // xid, reply, accepted, no verifier, success, port 9
        byte[] answer = [.. asked.Buffer[..4], 0, 0, 0, 1, .. new byte[16], 0, 0, 0, 9];
        await forger.SendAsync(answer, asked.RemoteEndPoint);
        await rpcbind.SendAsync(answer.AsMemory(0, 10), asked.RemoteEndPoint); // cut short
        await rpcbind.SendAsync((byte[])[.. answer[..^4], 0, 0, 0, 0], asked.RemoteEndPoint); // port 0: not registered
        for (int i = 0; i < 2; i++)
        {
            await service.Notifying.FlushAsync(); // until the next attempt is planned
            _time.Advance(TimeSpan.FromMinutes(2));
            asked = await rpcbind.ReceiveAsync(); // it goes on asking
        }
        Assert.Equal(1, service.NotifyingCount);
    }
}
