using System.Net;

namespace Kworker.SunRpc.Tests;

/// <summary>Servers that make themselves known, here to our own rpcbind; tests/Interop knows the system's.</summary>
public sealed class RpcbindRegistrationTests
{
    [Fact]
    public async Task A_server_registers_with_the_rpcbind_that_runs_and_takes_it_back()
    {
        var table = new RpcbindTable();
        await using RpcServer rpcbind = await StartRpcbindAsync(table);
        TestServer server = await TestServer.StartAsync(options =>
        {
            options.Rpcbind = RpcbindMode.System;
            options.RpcbindPort = rpcbind.Port;
        });
        string[] expected = [.. from version in (int[])[2, 4] from netId in (string[])["tcp", "udp"] select $"{version} {netId} 127.0.0.1:{server.Rpc.Port}"];
        Assert.Equal(expected, table.List().Select(record => $"{record.Version} {record.NetId} {record.EndPoint}"));
        await server.DisposeAsync();
        Assert.Empty(table.List());
    }

    [Fact]
    public async Task What_an_earlier_server_left_behind_is_replaced()
    {
        var table = new RpcbindTable();
        table.Set(new RpcbindRecord(TestProgram.Id, 4, NetId.Tcp, new IPEndPoint(IPAddress.Loopback, 1025), RpcbindRecord.Unknown));
        await using RpcServer rpcbind = await StartRpcbindAsync(table);
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Rpcbind = RpcbindMode.Auto;
            options.RpcbindPort = rpcbind.Port;
        });
        Assert.Null(server.Rpc.BuiltInRpcbind);
        Assert.Equal(server.Rpc.Port, table.Find(TestProgram.Id, 4, NetId.Tcp, exact: true)!.EndPoint.Port);
    }

    [Theory]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task The_client_speaks_each_version(uint version)
    {
        var table = new RpcbindTable();
        await using RpcServer rpcbind = await StartRpcbindAsync(table);
        await using RpcbindClient client = await RpcbindClient.ConnectAsync(rpcbind.TcpEndPoints[0], version);
        Assert.Equal(version, client.Version);
        Assert.Equal(version > 2, client.Knows(NetId.Tcp6));
        var record = new RpcbindRecord(TestProgram.Id, 1, NetId.Udp, new IPEndPoint(IPAddress.Any, 4000), RpcbindRecord.Superuser);
        Assert.True(await client.SetAsync(record));
        Assert.False(await client.SetAsync(record));
        Assert.Equal(record.EndPoint, Assert.Single(table.List()).EndPoint);
        Assert.True(await client.UnsetAsync(record));
        Assert.False(await client.UnsetAsync(record));
    }

    [Fact]
    public async Task The_client_goes_down_to_a_version_that_is_spoken()
    {
        await using var portmapper = new RpcServer(new RpcServerOptions { Name = "portmap", Addresses = [IPAddress.Loopback] });
        portmapper.Add(new RpcProgram(100000, "portmap").Procedure<PortmapMapping, RpcbindBoolean>(2, 1, "SET", (_, mapping) => new RpcbindBoolean(mapping.Port == 4000)));
        await portmapper.StartAsync();
        await using RpcbindClient client = await RpcbindClient.ConnectAsync(portmapper.TcpEndPoints[0]);
        Assert.Equal(2u, client.Version);
        Assert.True(await client.SetAsync(new RpcbindRecord(TestProgram.Id, 1, NetId.Udp, new IPEndPoint(IPAddress.Any, 4000), "")));
    }

    [Fact]
    public async Task The_built_in_one_knows_the_server_and_itself()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Rpcbind = RpcbindMode.BuiltIn;
            options.RpcbindPort = 0;
        });
        RpcServer rpcbind = server.Rpc.BuiltInRpcbind!;
        using RawConnection client = await RawConnection.OpenAsync(rpcbind.TcpEndPoints[0]);
        await client.ExchangeAsync(
            RawConnection.Call(1, 3, "20000001 00000004 00000006 00000000", 2, 100000), RawConnection.Success(1, $"{server.Rpc.Port:X8}"));
        await client.ExchangeAsync(
            RawConnection.Call(2, 3, "000186A0 00000002 00000011 00000000", 2, 100000), RawConnection.Success(2, $"{rpcbind.Port:X8}"));
    }

    [Fact]
    public async Task When_none_runs_ours_takes_its_place()
    {
        await using TestServer free = await TestServer.StartAsync();
        int port = free.Rpc.Port;
        await free.Rpc.StopAsync();
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Rpcbind = RpcbindMode.Auto;
            options.RpcbindPort = port;
        });
        Assert.Equal(port, server.Rpc.BuiltInRpcbind!.Port);
        await using RpcServer second = new(new RpcServerOptions { Name = "second", Addresses = [IPAddress.Loopback], Rpcbind = RpcbindMode.System, RpcbindPort = 1 });
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(async () => await second.StartAsync());
        Assert.Contains("No rpcbind answers on 127.0.0.1:1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_none_can_be_had_the_server_serves_all_the_same()
    {
        // What has the port is no rpcbind, so it neither takes registrations nor leaves the port to ours.
        await using TestServer occupant = await TestServer.StartAsync();
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.Rpcbind = RpcbindMode.Auto;
            options.RpcbindPort = occupant.Rpc.Port;
        });
        Assert.Null(server.Rpc.BuiltInRpcbind);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.PingAsync();
    }

    private static async Task<RpcServer> StartRpcbindAsync(RpcbindTable table)
    {
        var server = new RpcServer(new RpcServerOptions { Name = "rpcbind", Addresses = [IPAddress.Loopback] });
        server.Add(new RpcbindService(table, TimeProvider.System).CreateProgram());
        await server.StartAsync();
        return server;
    }
}
