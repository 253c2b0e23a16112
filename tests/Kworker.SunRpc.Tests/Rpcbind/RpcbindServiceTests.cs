using System.Net;

namespace Kworker.SunRpc.Tests;

/// <summary>Our own rpcbind on the wire, in its three versions.</summary>
public sealed class RpcbindServiceTests : IAsyncLifetime
{
    private const string Tcp = "00000003 74637000";
    private const string Udp = "00000003 75647000";
    private const string Nowhere = "00000000";
    private const string NfsAddress = "0000000D 3132372E 302E302E 312E382E 31000000"; // 127.0.0.1.8.1
    private const string Superuser = "00000009 73757065 72757365 72000000";

    private readonly RpcbindTable _table = new();
    private RpcServer _server = null!;
    private RawConnection _client = null!;
    private uint _xid;

    public async ValueTask InitializeAsync()
    {
        _server = new RpcServer(new RpcServerOptions { Name = "rpcbind", Addresses = [IPAddress.Loopback] });
        _server.Add(new RpcbindService(_table, TimeProvider.System).CreateProgram());
        await _server.StartAsync();
        _client = await RawConnection.OpenAsync(_server.TcpEndPoints[0]);
        _table.Set(new RpcbindRecord(100003, 3, NetId.Tcp, new IPEndPoint(IPAddress.Any, 2049), RpcbindRecord.Superuser));
        _table.Set(new RpcbindRecord(100003, 3, NetId.Udp, new IPEndPoint(IPAddress.Loopback, 2050), RpcbindRecord.Superuser));
        _table.Set(new RpcbindRecord(100003, 3, NetId.Tcp6, new IPEndPoint(IPAddress.IPv6Any, 2051), RpcbindRecord.Superuser));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("000186A3 00000003 00000006 00000000", "00000801")]
    [InlineData("000186A3 00000003 00000011 00000000", "00000802")]
    [InlineData("000186A3 00000004 00000006 00000000", "00000801")] // another version of the program: PROG_MISMATCH awaits there
    [InlineData("000186A3 00000003 00000001 00000000", "00000000")]
    [InlineData("000186A5 00000003 00000006 00000000", "00000000")]
    public Task GETPORT(string mapping, string port) => ExchangeAsync(2, 3, mapping, port);

    [Fact]
    public Task DUMP_of_version_2_knows_IPv4_only() => ExchangeAsync(2, 4, "",
        "00000001 000186A3 00000003 00000006 00000801  00000001 000186A3 00000003 00000011 00000802  00000000");

    [Fact]
    public async Task SET_and_UNSET_of_version_2()
    {
        await ExchangeAsync(2, 1, "20000001 00000001 00000011 00001234", "00000001");
        await ExchangeAsync(2, 1, "20000001 00000001 00000011 00001235", "00000000"); // it is taken
        await ExchangeAsync(2, 1, "20000001 00000001 00000006 00001234", "00000001");
        await ExchangeAsync(2, 3, "20000001 00000001 00000011 00000000", "00001234");
        await ExchangeAsync(2, 2, "20000001 00000001 00000000 00000000", "00000001"); // both transports
        await ExchangeAsync(2, 2, "20000001 00000001 00000000 00000000", "00000000");
        Assert.Equal(3, _table.List().Length);
    }

    [Theory]
    [InlineData("20000001 00000001 00000011 00000000")] // no port
    [InlineData("20000001 00000001 00000011 000003FF")] // a reserved port, set from an ordinary one
    [InlineData("20000001 00000001 00000011 00010000")]
    [InlineData("20000001 00000001 00000001 00001234")]
    public Task SET_refuses(string mapping) => ExchangeAsync(2, 1, mapping, "00000000");

    [Fact]
    public async Task An_ordinary_user_does_not_unset_what_the_superuser_set()
    {
        await ExchangeAsync(2, 2, "000186A3 00000003 00000006 00000000", "00000000");
        await ExchangeAsync(4, 2, $"000186A3 00000003 {Tcp} 00000000 00000000", "00000000");
        Assert.Equal(3, _table.List().Length);
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task GETADDR_tells_the_address_that_the_caller_came_by(uint version)
    {
        await ExchangeAsync(version, 3, $"000186A3 00000003 {Tcp} 00000000 00000000", NfsAddress);
        await ExchangeAsync(version, 3, $"000186A3 00000003 {Udp} 00000000 00000000", NfsAddress); // the transport of the call counts
        await ExchangeAsync(version, 3, $"000186A3 00000002 {Tcp} 00000000 00000000", NfsAddress);
        await ExchangeAsync(version, 3, $"000186A5 00000003 {Tcp} 00000000 00000000", Nowhere);
    }

    [Fact]
    public async Task GETVERSADDR_wants_the_very_version()
    {
        await ExchangeAsync(4, 9, $"000186A3 00000003 {Tcp} 00000000 00000000", NfsAddress);
        await ExchangeAsync(4, 9, $"000186A3 00000002 {Tcp} 00000000 00000000", Nowhere);
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task SET_DUMP_and_UNSET(uint version)
    {
        const string mapping = "20000001 00000001 00000004 74637036 00000008 3A3A312E 31382E35 00000004 78787878"; // tcp6 ::1.18.5, owner xxxx
        await ExchangeAsync(version, 1, mapping, "00000001");
        await ExchangeAsync(version, 1, mapping, "00000000");
        await ExchangeAsync(version, 4, "", $"""
            00000001 000186A3 00000003 {Tcp} 0000000B 302E302E 302E302E 382E3100 {Superuser}
            00000001 000186A3 00000003 {Udp} 0000000D 3132372E 302E302E 312E382E 32000000 {Superuser}
            00000001 000186A3 00000003 00000004 74637036 00000006 3A3A2E38 2E330000 {Superuser}
            00000001 20000001 00000001 00000004 74637036 00000008 3A3A312E 31382E35 00000007 756E6B6E 6F776E00
            00000000
            """);
        await ExchangeAsync(version, 2, "20000001 00000001 00000000 00000000 00000000", "00000001"); // no transport named: all
        Assert.Equal(3, _table.List().Length);
    }

    [Theory]
    [InlineData("00000003 74637000 00000008 3A3A312E 31382E35")] // tcp with an IPv6 address
    [InlineData("00000005 6C6F6361 6C000000 00000008 3A3A312E 31382E35")] // local
    [InlineData("00000004 74637036 00000004 6E6F6E65")]
    [InlineData("00000004 74637036 00000000")]
    public Task SET_refuses_what_is_no_address_of_its_transport(string place) => ExchangeAsync(4, 1, $"20000001 00000001 {place} 00000000", "00000000");

    [Fact]
    public Task GETADDRLIST_names_every_transport_of_the_family() => ExchangeAsync(4, 11, $"000186A3 00000003 {Tcp} 00000000 00000000", $"""
        00000001 {NfsAddress} {Tcp} 00000003 00000004 696E6574 {Tcp}
        00000001 0000000D 3132372E 302E302E 312E382E 32000000 {Udp} 00000001 00000004 696E6574 {Udp}
        00000000
        """);

    [Fact]
    public async Task GETTIME_is_about_now()
    {
        await _client.SendRecordAsync(RawConnection.Call(1, 6, version: 4, program: 100000));
        byte[] reply = (await _client.ReceiveAsync())!;
        uint time = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(24));
        Assert.InRange(time, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 600, DateTimeOffset.UtcNow.ToUnixTimeSeconds());
    }

    [Theory]
    [InlineData(2u, 5u)] // CALLIT
    [InlineData(3u, 5u)]
    [InlineData(4u, 5u)] // BCAST
    [InlineData(4u, 10u)] // INDIRECT
    public Task Calls_on_behalf_of_others_are_not_made(uint version, uint procedure) => _client.ExchangeAsync(
        RawConnection.Call(1, procedure, "000186A3 00000003 00000000 00000000", version, 100000),
        "00000001 00000001 00000000 00000000 00000000 00000003");

    [Fact]
    public Task Another_version_is_PROG_MISMATCH() => _client.ExchangeAsync(
        RawConnection.Call(1, 0, "", 5, 100000), "00000001 00000001 00000000 00000000 00000000 00000002 00000002 00000004");

    [Theory]
    [InlineData(2u, 1u, "20000001 00000001 00000011 00001234")]
    [InlineData(2u, 2u, "20000001 00000001 00000006 00001234")]
    [InlineData(3u, 1u, "20000001 00000001 00000004 74637036 00000008 3A3A312E 31382E35 00000000")]
    [InlineData(4u, 2u, "20000001 00000001 00000004 74637036 00000008 3A3A312E 31382E35 00000000")]
    public async Task Only_this_machine_changes_anything(uint version, uint procedure, string mapping)
    {
        _table.Set(new RpcbindRecord(0x20000001, 1, NetId.Tcp6, new IPEndPoint(IPAddress.IPv6Loopback, 4613), RpcbindRecord.Unknown));
        await using var queue = new Workqueue("test");
        var call = new RpcCall(new RpcDispatcher(queue, new ReplyCache<RpcCall>(new ReplyCacheOptions(), TimeProvider.System), Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance));
        byte[] arguments = Wire.Bytes(mapping);
        call.Begin([], 0, 0, 1000);
        call.SetHeader(default, arguments);
        call.RemoteEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.1"), 700);
        call.LocalEndPoint = new IPEndPoint(IPAddress.Parse("192.0.2.2"), 111);
        Assert.Equal(RpcAcceptStatus.Success, new RpcbindService(_table, TimeProvider.System).CreateProgram().Find(version, procedure, RpcTransport.Tcp, out RpcProcedure? found));
        await found!.InvokeAsync(call);
        Assert.Equal(Wire.Bytes("00000000"), call.ReplyMessage.ToArray());
        Assert.Equal(4, _table.List().Length);
    }

    private Task ExchangeAsync(uint version, uint procedure, string arguments, string results)
    {
        _xid++; // the same number again would be the same call again
        return _client.ExchangeAsync(RawConnection.Call(_xid, procedure, arguments, version, 100000), RawConnection.Success(_xid, results));
    }
}
