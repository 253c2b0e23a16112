using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.Sockets;

namespace Kworker.SunRpc.Tests;

/// <summary>Records, pipelining, back-pressure and drain over real sockets.</summary>
public sealed class TcpServingTests
{
    [Fact]
    public async Task A_call_may_come_in_fragments_byte_by_byte()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        byte[] message = Wire.Bytes(RawConnection.Call(1, TestProgram.Echo, "00000004 01020304"));
        foreach (byte[] part in message.Chunk(7))
        {
            await client.SendAsync(new byte[] { 0, 0, 0, (byte)part.Length });
            foreach (byte b in part)
                await client.SendAsync(new[] { b });
        }
        await client.SendAsync(Wire.Bytes("80000000"));
        await client.ExpectAsync(RawConnection.Success(1, "00000004 01020304"));
    }

    [Fact]
    public async Task Pipelined_calls_are_all_answered_whatever_the_order()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        const int calls = 1000;
        byte[] all = [.. Enumerable.Range(0, calls).SelectMany(i => RawConnection.Record(RawConnection.Call((uint)i, TestProgram.Echo, $"00000004 {i:X8}")))];
        Task sending = client.SendAsync(all).AsTask();
        var seen = new HashSet<uint>();
        for (int i = 0; i < calls; i++)
        {
            byte[] reply = (await client.ReceiveAsync())!;
            uint xid = BinaryPrimitives.ReadUInt32BigEndian(reply);
            Assert.Equal(xid, BinaryPrimitives.ReadUInt32BigEndian(reply.AsSpan(28)));
            Assert.True(seen.Add(xid));
        }
        await sending;
    }

    [Theory]
    [InlineData(TestProgram.Hold)]
    [InlineData(TestProgram.HoldAsync)]
    public async Task A_slow_call_holds_up_nobody_and_replies_overtake_it(uint procedure)
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        for (uint i = 0; i < 20; i++)
            await client.SendRecordAsync(RawConnection.Call(100 + i, procedure, "00000001"));
        for (int i = 0; i < 20; i++)
            await server.Program.Held.WaitAsync();
        await client.PingAsync();
        using RawConnection other = await RawConnection.OpenAsync(server.EndPoint);
        await other.PingAsync();
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 20; i++)
            Assert.NotNull(await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_reply_waits_for_no_place_among_the_calls_that_run()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumActiveCalls = 2);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        byte[] together = [.. new[] { RawConnection.Call(1, TestProgram.Hold, "00000000"), RawConnection.Call(2, 0), RawConnection.Call(3, TestProgram.Hold, "00000000") }
            .SelectMany(call => RawConnection.Record(call))];
        await client.SendAsync(together);
        await client.ExpectAsync(RawConnection.Success(2));
        await server.Program.Held.WaitAsync();
        await server.Program.Held.WaitAsync();
        Assert.Equal(2, server.Program.HeldNow);
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 2; i++)
            Assert.NotNull(await client.ReceiveAsync());
    }

    [Fact]
    public async Task Calls_that_come_behind_a_slow_one_are_read_by_another_worker()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        for (uint i = 0; i < 10; i++)
        {
            await client.SendRecordAsync(RawConnection.Call(100 + i, TestProgram.Hold, "00000001")); // alone, so it runs where it was read
            await server.Program.Held.WaitAsync();
            await client.PingAsync(i);
        }
        Assert.Equal(10, server.Program.HeldNow);
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 10; i++)
            Assert.NotNull(await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_reply_of_a_mebibyte_arrives_whole()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Fill, "00100000"));
        byte[] reply = (await client.ReceiveAsync())!;
        Assert.Equal(24 + 4 + (1 << 20), reply.Length);
        Assert.Equal(-1, reply.AsSpan(28).IndexOfAnyExcept((byte)0xAB));
    }

    [Fact]
    public async Task No_more_calls_are_read_than_may_be_in_flight()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumCallsPerConnection = 4);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        for (uint i = 0; i < 5; i++)
            await client.SendRecordAsync(RawConnection.Call(i, TestProgram.Hold, "00000000"));
        await client.SendRecordAsync(RawConnection.Call(99, 0));
        for (int i = 0; i < 4; i++)
            await server.Program.Held.WaitAsync();
        using RawConnection other = await RawConnection.OpenAsync(server.EndPoint);
        await other.PingAsync();
        Assert.Equal(4, server.Program.HeldNow);
        server.Program.Release.Complete();
        Assert.NotNull(await client.ReceiveAsync()); // the first of the held ones: only then is the fifth read
        await server.Program.Held.WaitAsync();
        server.Program.Release.CompleteAll();
        for (int i = 0; i < 5; i++)
            Assert.NotNull(await client.ReceiveAsync());
    }

    [Fact]
    public async Task A_client_that_reads_no_replies_is_soon_not_read_from_and_others_are_served()
    {
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.MaximumCallsPerConnection = 8;
            options.MaximumBytesPerConnection = 4 << 20;
        });
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        const int calls = 100;
        for (uint i = 0; i < calls; i++)
            await client.SendRecordAsync(RawConnection.Call(i, TestProgram.Fill, "00100000"));
        using RawConnection other = await RawConnection.OpenAsync(server.EndPoint);
        for (uint i = 0; i < 10; i++)
            await other.PingAsync(i);
        // Then it reads after all: nothing was lost.
        for (int i = 0; i < calls; i++)
            Assert.Equal(24 + 4 + (1 << 20), (await client.ReceiveAsync())!.Length);
    }

    // Small and large replies by turns, to a client that lets the server's socket fill up again and again: whoever goes on, goes on where the one before left off.
    [Fact]
    public async Task Replies_to_a_client_that_reads_late_are_whole()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        client.Socket.ReceiveBufferSize = 16 << 10;
        const int calls = 200;
        Task sending = Task.Run(async () =>
        {
            for (uint xid = 0; xid < calls; xid++)
                await client.SendAsync(RawConnection.Record([.. Wire.Bytes(RawConnection.Call(xid, TestProgram.Echo)), .. Argument(xid)]));
        });

        var missing = Enumerable.Range(0, calls).Select(static xid => (uint)xid).ToHashSet();
        for (int i = 0; i < calls; i++)
        {
            byte[] reply = (await client.ReceiveAsync())!;
            uint xid = BinaryPrimitives.ReadUInt32BigEndian(reply);
            Assert.True(missing.Remove(xid));
            Assert.Equal([.. Wire.Bytes(RawConnection.Success(xid)), .. Argument(xid)], reply);
        }
        await sending;
        await client.PingAsync();

        // Made anew where it is needed: another test measures the memory of the process meanwhile.
        static byte[] Argument(uint xid)
        {
            var random = new Random((int)xid);
            byte[] opaque = new byte[4 + (4 * random.Next(xid % 3 == 0 ? 100 : 100_000))];
            random.NextBytes(opaque);
            BinaryPrimitives.WriteInt32BigEndian(opaque, opaque.Length - 4);
            return opaque;
        }
    }

    // That a connection has ended is told to whoever waits for room on it, and, once, unasked: to nobody.
    [Fact]
    public async Task Connections_reset_while_they_are_sent_to_leave_no_error_behind()
    {
        var log = new ConcurrentQueue<string>();
        await using var system = new KworkerSystem(new KworkerSystemOptions { Log = log.Enqueue });
        await using TestServer server = await TestServer.StartAsync(options => options.System = system);
        for (int round = 0; round < 300; round++)
        {
            using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            for (uint i = 0; i < 8; i++)
                await client.SendRecordAsync(RawConnection.Call(i, TestProgram.Fill, i % 2 == 0 ? "00040000" : "00000100"));
            if (round % 2 == 0)
                await client.ReceiveAsync();
            client.Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        await server.Rpc.StopAsync();
        Assert.Equal(0, server.Rpc.BytesHeld);
        Assert.Empty(log);
    }

    [Fact]
    public async Task A_client_that_closes_its_sending_side_still_gets_its_replies()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Hold, "0000002A"));
        client.Socket.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        await server.Program.Held.WaitAsync();
        server.Program.Release.Complete();
        await client.ExpectAsync(RawConnection.Success(1, "0000002A"));
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task A_client_that_goes_away_during_its_call_harms_nobody()
    {
        await using TestServer server = await TestServer.StartAsync();
        using (RawConnection client = await RawConnection.OpenAsync(server.EndPoint))
        {
            await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Hold, "00000000"));
            await server.Program.Held.WaitAsync();
            client.Socket.Close(0);
        }
        server.Program.Release.CompleteAll();
        using RawConnection other = await RawConnection.OpenAsync(server.EndPoint);
        await other.PingAsync();
        Assert.Empty(server.Errors.Errors);
    }

    [Fact]
    public async Task Drain_lets_running_calls_end_sends_their_replies_and_takes_no_new_ones()
    {
        TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection idle = await RawConnection.OpenAsync(server.EndPoint);
        await idle.PingAsync();
        await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Hold, "0000002A"));
        await server.Program.Held.WaitAsync();
        ValueTask stopping = server.Rpc.StopAsync();
        await idle.ExpectEndAsync();
        Assert.False(stopping.IsCompleted);
        await Assert.ThrowsAnyAsync<System.Net.Sockets.SocketException>(() => RawConnection.OpenAsync(server.EndPoint));
        server.Program.Release.CompleteAll();
        await client.ExpectAsync(RawConnection.Success(1, "0000002A"));
        await client.ExpectEndAsync();
        await stopping;
        await server.DisposeAsync();
        Assert.Empty(server.Errors.Errors);
    }

    [Fact]
    public async Task Drain_runs_out_of_patience_when_told()
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Hold, "0000002A"));
        await server.Program.Held.WaitAsync();
        using var patience = new CancellationTokenSource();
        ValueTask stopping = server.Rpc.StopAsync(patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stopping);
        await client.ExpectEndAsync();
    }

    [Fact]
    public async Task Both_loopbacks_have_the_same_port()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.Addresses = new RpcServerOptions().Addresses);
        foreach (System.Net.IPEndPoint endPoint in server.Rpc.TcpEndPoints)
        {
            Assert.Equal(server.Rpc.Port, endPoint.Port);
            using RawConnection client = await RawConnection.OpenAsync(endPoint);
            await client.PingAsync();
        }
    }

    [Fact]
    public async Task An_address_that_cannot_be_bound_is_named()
    {
        await using TestServer server = await TestServer.StartAsync();
        await using var second = new RpcServer(new RpcServerOptions { Name = "second", Addresses = [System.Net.IPAddress.Loopback], Port = server.Rpc.Port });
        var exception = await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(async () => await second.StartAsync());
        Assert.Contains($"second cannot listen on 127.0.0.1:{server.Rpc.Port}", exception.Message, StringComparison.Ordinal);
    }
}
