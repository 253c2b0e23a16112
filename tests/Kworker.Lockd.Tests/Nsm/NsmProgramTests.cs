using System.Net;
using System.Text;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>The procedures over the wire, and those who should not call them.</summary>
public sealed class NsmProgramTests : IAsyncDisposable
{
    private static readonly IPAddress s_host = IPAddress.Parse("127.0.0.2");
    private readonly int _rpcbindPort = NsmPeer.FreePort();
    private readonly NsmTestServer _server;

    public NsmProgramTests() => _server = new NsmTestServer(Options(requireReservedPort: false));

    private NsmOptions Options(bool requireReservedPort, string? directory = null) => new()
    {
        StateDirectory = directory,
        RequireReservedPort = requireReservedPort,
        RpcbindPort = _rpcbindPort,
        MaximumHosts = 10,
        MaximumNames = 8,
        IsOwnAddress = static address => address.Equals(IPAddress.Loopback),
    };

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task<NsmWire> FromAsync(string address)
    {
        if (_server.EndPoint.Port == 0)
            await _server.StartAsync();
        return new NsmWire(address, _server.EndPoint);
    }

    private static NsmMon Mon(string host, byte priv = 7) =>
        new(new NsmMonId(Encoding.Latin1.GetBytes(host), new NsmMyId("me"u8.ToArray(), 0x20000077, 1, 3)), [.. Enumerable.Repeat(priv, 16)]);

    [Fact]
    public async Task Stat_gives_our_state_and_whether_a_host_could_be_monitored()
    {
        using NsmWire here = await FromAsync("127.0.0.1");
        Assert.Equal(new NsmStatResult(NsmResult.Success, _server.Service.State), await here.CallAsync<NsmName, NsmStatResult>(1, new NsmName("10.1.2.3"u8.ToArray())));
        Assert.Equal(NsmResult.Success, (await here.CallAsync<NsmName, NsmStatResult>(1, new NsmName("localhost"u8.ToArray()))).Result);
        Assert.Equal(NsmResult.Failure, (await here.CallAsync<NsmName, NsmStatResult>(1, new NsmName("no host, surely"u8.ToArray()))).Result);
        using NsmWire there = await FromAsync("127.0.0.2");
        Assert.Equal(NsmResult.Failure, (await there.CallAsync<NsmName, NsmStatResult>(1, new NsmName("localhost"u8.ToArray()))).Result);
        Assert.Equal(1, _server.Service.State & 1);
    }

    [Fact]
    public async Task A_host_that_rebooted_is_told_of_once_for_each_state()
    {
        Assert.True(_server.Service.Monitor("alice", s_host));
        using NsmWire host = await FromAsync("127.0.0.2");
        await host.NotifyAsync("alice.example", 5);
        await _server.ReportedAsync();
        await host.NotifyAsync("alice.example", 5);
        await host.NotifyAsync("alice.example", 7);
        await _server.ReportedAsync();
        Assert.Equal([new NsmReboot("alice", s_host, 5), new NsmReboot("alice", s_host, 7)], _server.Reboots);
    }

    [Fact]
    public async Task A_host_with_two_names_is_told_of_by_both()
    {
        _server.Service.Monitor("alice", s_host);
        _server.Service.Monitor("alice.example", s_host);
        using NsmWire host = await FromAsync("127.0.0.2");
        await host.NotifyAsync("alice", 5);
        await _server.ReportedAsync();
        await _server.ReportedAsync();
        Assert.Equal(["alice", "alice.example"], _server.Reboots.Select(reboot => reboot.Name).Order());
    }

    [Fact]
    public async Task A_notify_from_another_address_or_of_a_host_not_monitored_is_nothing()
    {
        _server.Service.Monitor("alice", s_host);
        _server.Service.Monitor("bob", IPAddress.Parse("127.0.0.9"));
        _server.Service.Unmonitor("bob", IPAddress.Parse("127.0.0.9"));
        foreach (string from in (string[])["127.0.0.1", "127.0.0.3", "127.0.0.9"])
        {
            using NsmWire other = await FromAsync(from);
            await other.NotifyAsync("alice", 5);
            await other.NotifyAsync("127.0.0.2", 5);
            await other.NotifyAsync("bob", 5);
        }
        // What had been counted would be told of before this.
        using NsmWire host = await FromAsync("127.0.0.2");
        await host.NotifyAsync("alice", 9);
        await _server.ReportedAsync();
        Assert.Equal([new NsmReboot("alice", s_host, 9)], _server.Reboots);
    }

    [Fact]
    public async Task A_notify_that_comes_twice_does_not_count_again_when_the_host_is_monitored_anew()
    {
        _server.Service.Monitor("alice", s_host);
        using NsmWire host = await FromAsync("127.0.0.2");
        await host.NotifyAsync("alice", 5);
        await _server.ReportedAsync();
        _server.Service.Unmonitor("alice", s_host);
        _server.Service.Monitor("alice", s_host);
        await host.NotifyAsync("alice", 5);
        await host.NotifyAsync("alice", 7);
        await _server.ReportedAsync();
        Assert.Equal([5, 7], _server.Reboots.Select(reboot => reboot.State));
    }

    [Fact]
    public async Task Monitored_twice_a_host_is_so_until_that_was_ended_twice()
    {
        _server.Service.Monitor("alice", s_host);
        _server.Service.Monitor("alice", s_host);
        _server.Service.Unmonitor("alice", s_host);
        Assert.Equal(1, _server.Service.Count);
        _server.Service.Unmonitor("alice", s_host);
        Assert.Equal(0, _server.Service.Count);
        await _server.StartAsync();
    }

    [Fact]
    public async Task A_program_of_this_machine_is_called_back_with_what_it_gave()
    {
        var called = new Completion();
        NsmStatus? told = null;
        await using var program = new RpcServer(new RpcServerOptions
        {
            Name = "lockd",
            Addresses = [IPAddress.Loopback],
            Rpcbind = RpcbindMode.BuiltIn,
            RpcbindPort = _rpcbindPort,
        });
        program.Add(new RpcProgram(0x20000077, "lockd").Procedure<NsmStatus, XdrVoid>(1, 3, "SM_NOTIFY", (_, status) =>
        {
            told = status;
            called.Complete();
            return default;
        }));
        await program.StartAsync();
        using NsmWire here = await FromAsync("127.0.0.1");
        Assert.Equal(new NsmStatResult(NsmResult.Success, _server.Service.State), await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.2")));
        using NsmWire host = await FromAsync("127.0.0.2");
        await host.NotifyAsync("alice", 5);
        await called.WaitAsync();
        Assert.Equal("127.0.0.2", Encoding.Latin1.GetString(told!.Value.MonName));
        Assert.Equal(5, told.Value.State);
        Assert.All(told.Value.Private, value => Assert.Equal(7, value));
        Assert.Empty(_server.Reboots); // not this process's business
    }

    [Fact]
    public async Task Unmon_and_unmon_all_end_what_one_program_asked_for()
    {
        using NsmWire here = await FromAsync("127.0.0.1");
        await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.2"));
        await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.3"));
        _server.Service.Monitor("127.0.0.4", IPAddress.Parse("127.0.0.4"));
        Assert.Equal(3, _server.Service.Count);
        NsmMonId unknown = Mon("127.0.0.2").MonId with { MyId = new NsmMyId("me"u8.ToArray(), 1, 1, 3) };
        await here.CallAsync<NsmMonId, NsmState>(3, unknown);
        Assert.Equal(3, _server.Service.Count);
        Assert.Equal(new NsmState(_server.Service.State), await here.CallAsync<NsmMonId, NsmState>(3, Mon("127.0.0.2").MonId));
        Assert.Equal(2, _server.Service.Count);
        await here.CallAsync<NsmMyId, NsmState>(4, Mon("").MonId.MyId);
        Assert.Equal(1, _server.Service.Count); // ours stays
    }

    [Fact]
    public async Task Hosts_that_only_other_programs_had_monitored_are_not_told_of_a_restart_after_an_end_in_order()
    {
        string directory = Directory.CreateTempSubdirectory("nsm-").FullName;
        try
        {
            await using (var before = new NsmTestServer(Options(requireReservedPort: false, directory)))
            {
                await before.StartAsync();
                using var here = new NsmWire("127.0.0.1", before.EndPoint);
                await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.2"));
                await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.3"));
                Assert.True(before.Service.Monitor("127.0.0.3", IPAddress.Parse("127.0.0.3")));
                Assert.Equal(2, before.Service.Count);
            }
            using NsmStore store = NsmStore.Open(directory);
            store.Begin(1);
            Assert.Equal("127.0.0.3", Assert.Single(store.ListToNotify()).Address.ToString());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Only_this_machine_may_have_hosts_monitored()
    {
        using NsmWire there = await FromAsync("127.0.0.2");
        Assert.Equal(NsmResult.Failure, (await there.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.3"))).Result);
        _server.Service.Monitor("127.0.0.4", IPAddress.Parse("127.0.0.4"));
        int state = _server.Service.State;
        await there.CallAsync<NsmMonId, NsmState>(3, Mon("127.0.0.4").MonId);
        await there.CallAsync<NsmMyId, NsmState>(4, Mon("").MonId.MyId);
        await there.CallAsync<XdrVoid, XdrVoid>(5, default);
        Assert.Equal(1, _server.Service.Count);
        Assert.Equal(state, _server.Service.State);
    }

    [Fact]
    public async Task Nor_may_others_than_root()
    {
        await using var server = new NsmTestServer(Options(requireReservedPort: true));
        await server.StartAsync();
        using var here = new NsmWire("127.0.0.1", server.EndPoint);
        Assert.Equal(NsmResult.Failure, (await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.3"))).Result);
        Assert.Equal(0, server.Service.Count);
        int monitored = 0;
        if (Environment.IsPrivilegedProcess)
        {
            await using var root = new RpcClient(server.EndPoint, RpcTransport.Udp, new RpcClientOptions { FromReservedPort = true });
            Assert.Equal(NsmResult.Success, (await root.CallAsync<NsmMon, NsmStatResult>(NsmProtocol.Program, NsmProtocol.Version, NsmProtocol.Mon, Mon("127.0.0.4"))).Result);
            monitored = 1;
        }
        int state = server.Service.State;
        Assert.Equal(new NsmState(state), await here.CallAsync<NsmMonId, NsmState>(3, Mon("127.0.0.4").MonId));
        Assert.Equal(new NsmState(state), await here.CallAsync<NsmMyId, NsmState>(4, Mon("").MonId.MyId));
        await here.CallAsync<XdrVoid, XdrVoid>(5, default);
        Assert.Equal((state, monitored), (server.Service.State, server.Service.Count));
    }

    [Fact]
    public async Task A_simulated_crash_raises_the_state_and_tells_the_hosts_of_others()
    {
        await using var peer = new NsmPeer("127.0.0.2", _rpcbindPort);
        await peer.StartAsync();
        using NsmWire here = await FromAsync("127.0.0.1");
        await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.2"));
        int state = _server.Service.State;
        await here.CallAsync<XdrVoid, XdrVoid>(5, default);
        await peer.Told.WaitAsync();
        Assert.Equal(state + 2, _server.Service.State);
        Assert.Equal(state + 2, peer.All[0].State);
        Assert.Equal(0, _server.Service.Count);
    }

    [Fact]
    public async Task No_more_hosts_are_monitored_than_the_options_allow()
    {
        using NsmWire here = await FromAsync("127.0.0.1");
        for (int i = 0; i < 8; i++)
            Assert.True(_server.Service.Monitor($"name {i}", s_host));
        Assert.False(_server.Service.Monitor("one more", s_host)); // one host takes no more places
        Assert.True(_server.Service.Monitor("bob", IPAddress.Parse("10.0.0.1")));
        Assert.True(_server.Service.Monitor("carol", IPAddress.Parse("10.0.0.2")));
        Assert.False(_server.Service.Monitor("dave", IPAddress.Parse("10.0.0.3")));
        Assert.Equal(NsmResult.Failure, (await here.CallAsync<NsmMon, NsmStatResult>(2, Mon("127.0.0.3"))).Result);
        Assert.True(_server.Service.Monitor("name 3", s_host)); // one of those
        Assert.False(_server.Service.Monitor(new string('x', 1025), s_host));
    }

    [Fact]
    public async Task A_storm_of_notifies_costs_no_memory()
    {
        _server.Service.Monitor("alice", s_host);
        await _server.StartAsync();
        // Straight in, as fast as it goes: from everywhere, and from a host that makes up states.
        for (int i = 0; i < 10_000; i++)
            Storm(i);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 500_000; i++)
            Storm(i);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.InRange(grown, long.MinValue, 8 << 20); // what the list of the test itself keeps of the reboots
        Assert.Equal(1, _server.Service.Count);
    }

    private void Storm(int i) => _server.Service.HostChanged(i % 100 == 0 ? s_host : new IPAddress((uint)(i * 7919) | 1), i);
}
