using System.Buffers.Binary;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.SunRpc.Tests;

/// <summary>The server calls its client over the client's own connection (RFC 8881, 2.10.3.1).</summary>
public sealed class ReverseCallTests
{
    private const uint Program = 0x40000000;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(9);

    [Fact]
    public async Task A_call_goes_out_over_the_clients_connection_and_its_reply_comes_back()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        RpcConnection connection = await MeetAsync(server, client);

        Task<Number> call = CallAsync(connection, 7);
        byte[] sent = (await client.ReceiveAsync())!;
        Assert.Equal($"00000000{2:X8}{Program:X8}{1:X8}{3:X8}" + $"{1:X8}{24:X8}{0:X8}{2:X8}{0x6D650000:X8}{5:X8}{6:X8}{0:X8}" + $"{0:X16}{7:X8}", Convert.ToHexString(sent.AsSpan(4)));
        await client.SendRecordAsync(RawConnection.Success(Xid(sent), "0000002A"));

        Assert.Equal(new Number(42), await call);
        await client.PingAsync();
    }

    [Fact]
    public async Task Calls_of_a_connection_have_one_handle_and_those_of_others_another()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection one = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection other = await RawConnection.OpenAsync(server.EndPoint);

        RpcConnection first = await MeetAsync(server, one);
        Assert.Same(first, await MeetAsync(server, one));
        Assert.NotSame(first, await MeetAsync(server, other));
        Assert.Equal(one.Socket.LocalEndPoint, first.RemoteEndPoint);
    }

    [Fact]
    public async Task Replies_find_their_calls_in_any_order_and_between_the_clients_own_calls()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        RpcConnection connection = await MeetAsync(server, client);

        Task<Number>[] calls = [.. Enumerable.Range(0, 20).Select(number => CallAsync(connection, (uint)number))];
        var asked = new List<byte[]>();
        foreach (Task<Number> _ in calls)
            asked.Add((await client.ReceiveAsync())!);
        asked.Reverse();
        foreach (byte[] request in asked)
        {
            await client.PingAsync();
            await client.SendRecordAsync(RawConnection.Success(Xid(request), $"{Argument(request) + 100:X8}"));
        }

        for (uint number = 0; number < calls.Length; number++)
            Assert.Equal(new Number(number + 100), await calls[number]);
    }

    [Fact]
    public async Task A_call_without_a_reply_fails_when_its_time_is_over_and_the_connection_lives_on()
    {
        var time = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        await using TestServer server = await TestServer.StartAsync(options => options.System = system);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        RpcConnection connection = await MeetAsync(server, client);

        Task<Number> call = CallAsync(connection, 1);
        byte[] sent = (await client.ReceiveAsync())!;
        time.Advance(s_patience - TimeSpan.FromMilliseconds(1));
        Task<Number> later = CallAsync(connection, 2);
        byte[] sentLater = (await client.ReceiveAsync())!;
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        await Assert.ThrowsAsync<RpcTimeoutException>(() => call);

        // A reply that comes too late is dropped; the other call has its own time.
        await client.SendRecordAsync(RawConnection.Success(Xid(sent), "00000001"));
        await client.SendRecordAsync(RawConnection.Success(Xid(sentLater), "00000002"));
        Assert.Equal(new Number(2), await later);
        Task<Number> last = CallAsync(connection, 3);
        await client.ReceiveAsync();
        time.Advance(s_patience);
        await Assert.ThrowsAsync<RpcTimeoutException>(() => last);
    }

    [Fact]
    public async Task When_the_connection_closes_its_calls_fail_and_its_handle_says_so()
    {
        await using TestServer server = await TestServer.StartAsync();
        RpcConnection connection;
        Task<Number> call;
        var closed = new Completion();
        using (RawConnection client = await RawConnection.OpenAsync(server.EndPoint))
        {
            connection = await MeetAsync(server, client);
            connection.Closed += _ => closed.CompleteAll();
            call = CallAsync(connection, 1);
            await client.ReceiveAsync();
            Assert.False(connection.IsClosed);
        }
        await Assert.ThrowsAsync<RpcClientException>(() => call);
        await closed.WaitAsync();
        Assert.True(connection.IsClosed);
        await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(connection, 2));
        Assert.Empty(server.Errors.Errors);
    }

    [Fact]
    public async Task A_handler_that_fails_when_a_connection_closes_harms_nobody()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        using (RawConnection other = await RawConnection.OpenAsync(server.EndPoint))
            (await MeetAsync(server, other)).Closed += _ => throw new InvalidOperationException("as told");
        await client.PingAsync();
    }

    [Fact]
    public async Task A_call_that_is_cancelled_is_forgotten()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        RpcConnection connection = await MeetAsync(server, client);
        using var cancel = new CancellationTokenSource();

        Task<Number> call = CallAsync(connection, 1, cancel.Token);
        byte[] sent = (await client.ReceiveAsync())!;
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await client.SendRecordAsync(RawConnection.Success(Xid(sent), "00000001"));
        await client.PingAsync();
        Assert.Equal(0, connection.CallsInFlight);
    }

    [Theory]
    [InlineData("00000001 00000000 00000000 00000000 00000001", RpcAcceptStatus.ProgramUnavailable)]
    [InlineData("00000001 00000001 00000001 00000005", null)] // denied: AUTH_TOOWEAK
    public async Task An_error_of_the_clients_is_the_callers(string reply, object? status)
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        Task<Number> call = CallAsync(await MeetAsync(server, client), 1);
        await client.SendRecordAsync($"{Xid((await client.ReceiveAsync())!):X8} {reply}");
        RpcClientException error = await Assert.ThrowsAsync<RpcClientException>(() => call);
        Assert.Equal((RpcAcceptStatus?)status, error.Status);
        await client.PingAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000")]
    [InlineData("00000000 00000000 FFFFFFFF")]
    public async Task A_reply_that_is_cut_short_is_an_error_of_that_call_alone(string rest)
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        Task<Number> call = CallAsync(await MeetAsync(server, client), 1);
        await client.SendRecordAsync($"{Xid((await client.ReceiveAsync())!):X8} 00000001 {rest}");
        await Assert.ThrowsAsync<XdrException>(() => call);
        await client.PingAsync();
    }

    [Fact]
    public async Task Replies_that_nobody_waits_for_are_dropped_however_many_and_long_they_are()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        Task<Number> call = CallAsync(await MeetAsync(server, client), 1);
        uint xid = Xid((await client.ReceiveAsync())!);

        byte[] storm = [.. Enumerable.Range(1, 5000).SelectMany(number => RawConnection.Record(RawConnection.Success(xid + (uint)number, "00000000")))];
        await client.SendAsync(storm);
        byte[] oversized = RawConnection.Record(RawConnection.Success(xid, new string('0', 2 * (ReverseCalls.MaximumReply + 4))));
        for (int i = 0; i < 20; i++)
            await client.SendAsync(oversized);
        await client.PingAsync();
        Assert.InRange(server.Rpc.BytesHeld, 0, 100); // the ping itself: its reply leaves before it is accounted for
        Assert.False(call.IsCompleted);

        await client.SendRecordAsync(RawConnection.Success(xid, "00000005"));
        await client.SendRecordAsync(RawConnection.Success(xid, "00000006"));
        Assert.Equal(new Number(5), await call);
        await client.PingAsync();
        await server.Rpc.StopAsync();
        Assert.Equal(0, server.Rpc.BytesHeld);
    }

    [Fact]
    public async Task A_reply_from_another_connection_is_none()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection thief = await RawConnection.OpenAsync(server.EndPoint);
        RpcConnection thiefs = await MeetAsync(server, thief);
        Task<Number> call = CallAsync(await MeetAsync(server, client), 1);
        Task<Number> decoy = CallAsync(thiefs, 2);
        uint xid = Xid((await client.ReceiveAsync())!);
        uint decoys = Xid((await thief.ReceiveAsync())!);

        await thief.SendRecordAsync(RawConnection.Success(xid, "0000000B"));
        await thief.SendRecordAsync(RawConnection.Success(decoys, "00000002"));
        Assert.Equal(new Number(2), await decoy);
        Assert.False(call.IsCompleted);
        await client.SendRecordAsync(RawConnection.Success(xid, "00000001"));
        Assert.Equal(new Number(1), await call);
    }

    [Fact]
    public async Task A_reply_on_a_connection_that_was_never_called_ends_it()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendRecordAsync(RawConnection.Success(1));
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_client_that_never_answers_is_not_asked_without_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        Task<Number>[] calls;
        using (RawConnection client = await RawConnection.OpenAsync(server.EndPoint))
        {
            RpcConnection connection = await MeetAsync(server, client);
            calls = [.. Enumerable.Range(0, ReverseCalls.MaximumInFlight).Select(number => CallAsync(connection, (uint)number))];
            await Assert.ThrowsAsync<RpcClientException>(() => CallAsync(connection, 0));
        }
        foreach (Task<Number> call in calls)
            await Assert.ThrowsAsync<RpcClientException>(() => call);
    }

    [Fact]
    public async Task A_handler_may_call_its_caller_and_wait_for_the_reply()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendRecordAsync(RawConnection.Call(1, TestProgram.CallBack, "00000005"));
        byte[] sent = (await client.ReceiveAsync())!;
        await client.SendRecordAsync(RawConnection.Success(Xid(sent), "00000006"));
        await client.ExpectAsync(RawConnection.Success(1, "00000006"));
    }

    private static uint Xid(byte[] message) => BinaryPrimitives.ReadUInt32BigEndian(message);

    private static uint Argument(byte[] message) => BinaryPrimitives.ReadUInt32BigEndian(message.AsSpan(message.Length - 4));

    // The client calls, so that the server knows its connection.
    private static async Task<RpcConnection> MeetAsync(TestServer server, RawConnection client)
    {
        await client.ExchangeAsync(RawConnection.Call(99, TestProgram.Meet), RawConnection.Success(99));
        return server.Program.LastConnection!;
    }

    private static Task<Number> CallAsync(RpcConnection connection, uint number, CancellationToken cancellationToken = default) =>
        connection.CallAsync<Number, Number>(
            Program, 1, 3, RpcCredential.Sys(5, 6, [], "me"), new Number(number), s_patience, cancellationToken).AsTask();
}
