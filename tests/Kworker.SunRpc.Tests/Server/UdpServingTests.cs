using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc.Tests;

public sealed class UdpServingTests
{
    [Fact]
    public async Task A_datagram_is_a_call_and_a_reply()
    {
        await using TestServer server = await TestServer.StartAsync();
        using UdpClient client = Open(server.EndPoint);
        await ExchangeAsync(client, RawConnection.Call(1, TestProgram.Echo, "00000004 01020304"), RawConnection.Success(1, "00000004 01020304"));
        await ExchangeAsync(client, RawConnection.Call(2, 0, version: 3), "00000002 00000001 00000000 00000000 00000000 00000002 00000002 00000004");
    }

    [Fact]
    public async Task Over_IPv6_too()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback]);
        if (server.Rpc.UdpEndPoints.Count < 2)
            return; // this machine has no IPv6, and the server said so
        using UdpClient client = Open(new IPEndPoint(IPAddress.IPv6Loopback, server.Rpc.Port));
        await ExchangeAsync(client, RawConnection.Call(1, 0), RawConnection.Success(1));
    }

    [Fact]
    public async Task What_is_no_call_gets_no_answer_and_the_next_call_gets_its_own()
    {
        await using TestServer server = await TestServer.StartAsync();
        using UdpClient client = Open(server.EndPoint);
        await client.SendAsync(Array.Empty<byte>());
        await client.SendAsync(new byte[3]);
        await client.SendAsync(Wire.Bytes("00000001 00000001 00000000 00000000 00000000 00000000"));
        await ExchangeAsync(client, RawConnection.Call(9, 0), RawConnection.Success(9));
    }

    [Fact]
    public async Task A_reply_that_no_datagram_can_hold_is_SYSTEM_ERR()
    {
        await using TestServer server = await TestServer.StartAsync();
        using UdpClient client = Open(server.EndPoint);
        await ExchangeAsync(client, RawConnection.Call(1, TestProgram.Fill, "00010000"), "00000001 00000001 00000000 00000000 00000000 00000005");
    }

    [Fact]
    public async Task A_call_sent_again_runs_once_whatever_the_port()
    {
        await using TestServer server = await TestServer.StartAsync();
        for (int i = 0; i < 2; i++)
        {
            using UdpClient client = Open(server.EndPoint);
            await ExchangeAsync(client, RawConnection.Call(1, TestProgram.Count, "00000000"), RawConnection.Success(1, "00000001"));
        }
    }

    [Fact]
    public async Task A_version_for_tcp_alone_is_not_there_and_rpcbind_is_not_told_of_it()
    {
        var table = new RpcbindTable();
        await using var rpcbind = new RpcServer(new RpcServerOptions { Name = "rpcbind", Addresses = [IPAddress.Loopback] });
        rpcbind.Add(new RpcbindService(table, TimeProvider.System).CreateProgram());
        await rpcbind.StartAsync();
        await using var server = new RpcServer(new RpcServerOptions { Name = "test", Addresses = [IPAddress.Loopback], Rpcbind = RpcbindMode.System, RpcbindPort = rpcbind.Port });
        server.Add(new TestProgram().Create().TcpOnly(4));
        await server.StartAsync();

        using UdpClient client = Open(new IPEndPoint(IPAddress.Loopback, server.Port));
        await ExchangeAsync(client, RawConnection.Call(1, 0, version: 4), "00000001 00000001 00000000 00000000 00000000 00000002 00000002 00000002");
        await ExchangeAsync(client, RawConnection.Call(2, 0, version: 2), RawConnection.Success(2));

        Assert.NotNull(table.Find(TestProgram.Id, 4, NetId.Tcp, exact: true));
        Assert.NotNull(table.Find(TestProgram.Id, 2, NetId.Udp, exact: true));
        Assert.Null(table.Find(TestProgram.Id, 4, NetId.Udp, exact: true));
    }

    [Fact]
    public async Task Drain_answers_what_runs()
    {
        await using TestServer server = await TestServer.StartAsync();
        using UdpClient client = Open(server.EndPoint);
        await client.SendAsync(Wire.Bytes(RawConnection.Call(1, TestProgram.Hold, "0000002A")));
        await server.Program.Held.WaitAsync();
        ValueTask stopping = server.Rpc.StopAsync();
        server.Program.Release.CompleteAll();
        await stopping;
        Assert.Equal(Wire.Bytes(RawConnection.Success(1, "0000002A")), (await client.ReceiveAsync()).Buffer);
    }

    private static UdpClient Open(IPEndPoint server)
    {
        var client = new UdpClient(server.AddressFamily);
        client.Connect(server);
        return client;
    }

    private static async Task ExchangeAsync(UdpClient client, string call, string reply)
    {
        await client.SendAsync(Wire.Bytes(call));
        Assert.Equal(Convert.ToHexString(Wire.Bytes(reply)), Convert.ToHexString((await client.ReceiveAsync()).Buffer));
    }
}
