using System.Net;

namespace Kworker.SunRpc.Tests;

/// <summary>The client with our server.</summary>
public sealed class RpcClientTests
{
    [Fact]
    public async Task Many_calls_are_in_flight_on_one_connection()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Tcp);
        Task<Number>[] held = [.. Enumerable.Range(0, 10).Select(i => CallAsync(client, TestProgram.Hold, (uint)i))];
        for (int i = 0; i < 10; i++)
            await server.Program.Held.WaitAsync();
        Assert.Equal(1u, (await CallAsync(client, TestProgram.Count, 0)).Value); // overtakes them
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 10; i++)
            Assert.Equal((uint)i, (await held[i]).Value);
    }

    [Fact]
    public async Task No_more_calls_are_at_the_server_than_the_options_allow()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Tcp, new RpcClientOptions { MaximumInFlight = 3 });
        Task<Number>[] held = [.. Enumerable.Range(0, 20).Select(i => CallAsync(client, TestProgram.Hold, (uint)i))];
        for (int i = 0; i < 20; i++)
        {
            await server.Program.Held.WaitAsync();
            Assert.InRange(server.Program.HeldNow, 1, 3);
            server.Program.Release.Complete();
        }
        for (int i = 0; i < 20; i++)
            Assert.Equal((uint)i, (await held[i]).Value);
    }

    [Fact]
    public async Task Errors_name_the_call()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Tcp);
        var error = await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, 99, 0));
        Assert.Equal(RpcAcceptStatus.ProcedureUnavailable, error.Status);
        Assert.Contains("procedure 99", error.Message, StringComparison.Ordinal);
        var denied = await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, TestProgram.Refuse, 0));
        Assert.Equal(RpcAuthStatus.TooWeak, denied.AuthStatus);
        Assert.Contains("TooWeak", denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_to_fail_when_nobody_is_there_fails()
    {
        TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Tcp, new RpcClientOptions { IsSoftConnect = true });
        Task<Number> held = CallAsync(client, TestProgram.Hold, 1);
        await server.Program.Held.WaitAsync();
        using var impatient = new CancellationTokenSource();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await server.Rpc.StopAsync(impatient.Token));
        await Assert.ThrowsAsync<RpcClientException>(() => held);
        await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, TestProgram.Count, 1));
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData(RpcTransport.Tcp)]
    [InlineData(RpcTransport.Udp)]
    public async Task It_says_who_it_is(RpcTransport transport)
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(
            server.EndPoint, transport, new RpcClientOptions { Credential = RpcCredential.Sys(7, 8, [.. Enumerable.Range(100, 20).Select(i => (uint)i)], "here") });
        Identity identity = await client.CallAsync<XdrVoid, Identity>(TestProgram.Id, 4, TestProgram.WhoAmI, default);
        Assert.Equal((7u, 8u), (identity.Uid, identity.Gid));
        Assert.Equal(Enumerable.Range(100, 16).Select(i => (uint)i), identity.Groups);
        Assert.Equal("here"u8, identity.MachineName);
    }

    [Fact]
    public async Task Over_UDP()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Udp);
        Assert.Equal(1u, (await CallAsync(client, TestProgram.Count, 0)).Value);
        Assert.Equal(2u, (await CallAsync(client, TestProgram.Count, 0)).Value);
    }

    [Fact]
    public async Task Over_UDP_nobody_there_is_found_out()
    {
        // Connected elsewhere: the port is taken, and what comes to it from others is refused.
        using var deaf = new System.Net.Sockets.UdpClient(0, System.Net.Sockets.AddressFamily.InterNetwork);
        deaf.Connect(IPAddress.Loopback, 9);
        var nobody = new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)deaf.Client.LocalEndPoint!).Port);
        await using var client = new RpcClient(nobody, RpcTransport.Udp, new RpcClientOptions { IsSoftConnect = true });
        await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, TestProgram.Count, 0));
    }

    [Fact]
    public async Task What_a_datagram_does_not_hold_is_refused()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Udp);
        await Assert.ThrowsAsync<XdrException>(async () =>
            await client.CallAsync<Blob, Blob>(TestProgram.Id, 4, TestProgram.Echo, new Blob(new byte[70_000])));
    }

    [Fact]
    public async Task A_megabyte_goes_both_ways()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcClient(server.EndPoint, RpcTransport.Tcp);
        byte[] bytes = new byte[1 << 20];
        new Random(1).NextBytes(bytes);
        Blob[] blobs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            client.CallAsync<Blob, Blob>(TestProgram.Id, 4, TestProgram.Echo, new Blob(bytes)).AsTask()));
        Assert.All(blobs, blob => Assert.True(blob.Bytes.Span.SequenceEqual(bytes)));
    }

    [Fact]
    public async Task Rpcbind_is_asked_for_a_port()
    {
        var table = new RpcbindTable();
        table.Set(new RpcbindRecord(TestProgram.Id, 4, NetId.Tcp, new IPEndPoint(IPAddress.Any, 4000), RpcbindRecord.Superuser));
        await using var rpcbind = new RpcServer(new RpcServerOptions { Name = "rpcbind", Addresses = [IPAddress.Loopback] });
        rpcbind.Add(new RpcbindService(table, TimeProvider.System).CreateProgram());
        await rpcbind.StartAsync();
        Assert.Equal(4000, await RpcbindClient.GetPortAsync(rpcbind.TcpEndPoints[0], TestProgram.Id, 4, RpcTransport.Tcp));
        Assert.Equal(0, await RpcbindClient.GetPortAsync(rpcbind.TcpEndPoints[0], TestProgram.Id + 1, 4, RpcTransport.Tcp));
    }

    private static Task<Number> CallAsync(RpcClient client, uint procedure, uint argument) =>
        client.CallAsync<Number, Number>(TestProgram.Id, 4, procedure, new Number(argument)).AsTask();
}
