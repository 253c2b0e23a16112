namespace Kworker.SunRpc.Tests;

public sealed class RpcClientTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Many_calls_are_in_flight_on_one_connection()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using RpcTcpClient client = await RpcTcpClient.ConnectAsync(server.EndPoint, fromReservedPort: false, CancellationToken.None);
        Task<Number>[] held = [.. Enumerable.Range(0, 10).Select(i => CallAsync(client, TestProgram.Hold, (uint)i))];
        for (int i = 0; i < 10; i++)
            await server.Program.Held.WaitAsync();
        Assert.Equal(1u, (await CallAsync(client, TestProgram.Count, 0)).Value); // overtakes them
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 10; i++)
            Assert.Equal((uint)i, (await held[i]).Value);
    }

    [Fact]
    public async Task Errors_name_the_call()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using RpcTcpClient client = await RpcTcpClient.ConnectAsync(server.EndPoint, fromReservedPort: false, CancellationToken.None);
        var error = await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, 99, 0));
        Assert.Equal(RpcAcceptStatus.ProcedureUnavailable, error.Status);
        Assert.Contains("procedure 99", error.Message, StringComparison.Ordinal);
        var denied = await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, TestProgram.Refuse, 0));
        Assert.Contains("TooWeak", denied.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_ends_fails_the_calls_that_wait_and_those_to_come()
    {
        TestServer server = await TestServer.StartAsync();
        await using RpcTcpClient client = await RpcTcpClient.ConnectAsync(server.EndPoint, fromReservedPort: false, CancellationToken.None);
        Task<Number> held = CallAsync(client, TestProgram.Hold, 1);
        await server.Program.Held.WaitAsync();
        using var impatient = new CancellationTokenSource();
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await server.Rpc.StopAsync(impatient.Token));
        await Assert.ThrowsAsync<RpcClientException>(() => held);
        await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(client, TestProgram.Count, 1));
        await server.DisposeAsync();
    }

    [Fact]
    public async Task Over_UDP()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var client = new RpcUdpClient(server.EndPoint);
        Assert.Equal(1u, (await CallAsync(client, TestProgram.Count, 0)).Value);
        Assert.Equal(2u, (await CallAsync(client, TestProgram.Count, 0)).Value);
    }

    private static Task<Number> CallAsync(RpcClient client, uint procedure, uint argument) =>
        client.CallAsync<Number, Number>(TestProgram.Id, 4, procedure, new Number(argument), s_patience).AsTask();
}
