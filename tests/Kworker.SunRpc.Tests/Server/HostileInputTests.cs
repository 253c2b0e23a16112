using System.Buffers.Binary;
using System.Net.Sockets;
using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.SunRpc.Tests;

/// <summary>Whatever a peer sends: an RPC error or a closed connection, bounded memory, and the next client is served.</summary>
public sealed class HostileInputTests
{
    private const int Mebibyte = 1 << 20;

    [Fact]
    public async Task Any_bytes_on_a_connection_get_replies_or_an_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Program.Release.CompleteAll();
        Gen.Byte.Array[0, 300].Sample(bytes => SendToTheEnd(server, bytes), iter: 500);
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Any_bytes_in_a_record_get_a_reply_or_an_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Program.Release.CompleteAll();
        Gen.Byte.Array[0, 300].Sample(bytes => SendToTheEnd(server, RawConnection.Record(bytes)), iter: 500);
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Calls_with_any_word_changed_get_a_reply_or_an_end()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Program.Release.CompleteAll();
        Gen<uint> word = Gen.OneOf(Gen.UInt[0, 20], Gen.UInt, Gen.Const(uint.MaxValue), Gen.Const(0x7FFFFFFFu), Gen.Const(TestProgram.Id));
        Gen<byte[]> call = Gen.Select(Gen.UInt[0, 12], word.Array[0, 12], Gen.Int[0, 20], word).Select((procedure, arguments, at, value) =>
        {
            byte[] bytes = Wire.Bytes(RawConnection.Call(7, procedure, string.Concat(arguments.Select(argument => $"{argument:X8}"))));
            if (at * 4 < bytes.Length)
                BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at * 4), value);
            return bytes;
        });
        call.Array[1, 5].Sample(calls => SendToTheEnd(server, [.. calls.SelectMany(RawConnection.Record)]), iter: 1000);
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Any_datagram_leaves_the_server_answering()
    {
        await using TestServer server = await TestServer.StartAsync();
        server.Program.Release.CompleteAll();
        uint ping = 0;
        Gen.Byte.Array[0, 600].Array[1, 10].Sample(
            datagrams =>
            {
                using var client = new UdpClient();
                client.Connect(server.EndPoint);
                foreach (byte[] datagram in datagrams)
                    client.Send(datagram);
                uint xid = 0x50000000 + Interlocked.Increment(ref ping);
                client.Send(Wire.Bytes(RawConnection.Call(xid, 0)));
                System.Net.IPEndPoint? from = null;
                while (BinaryPrimitives.ReadUInt32BigEndian(client.Receive(ref from)) != xid)
                {
                    // the reply to a datagram that happened to be a call
                }
            },
            iter: 300);
        await ExpectSoundAsync(server);
    }

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("7FFFFFFF")]
    [InlineData("80201001")] // one byte past the limit
    public async Task A_record_that_claims_too_much_ends_the_connection_at_once(string header)
    {
        await using TestServer server = await TestServer.StartAsync();
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.SendAsync(Wire.Bytes(header));
        await client.ExpectEndAsync();
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Fragments_that_add_up_to_too_much_end_the_connection()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumRecord = 64 << 10);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        byte[] fragment = new byte[4 + (32 << 10)];
        BinaryPrimitives.WriteInt32BigEndian(fragment, 32 << 10);
        await client.SendAsync(fragment);
        await client.SendAsync(fragment);
        await client.SendAsync(new byte[] { 0, 0, 0, 1 });
        await client.ExpectEndAsync();
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Records_claimed_but_not_sent_cost_no_memory()
    {
        await using TestServer server = await TestServer.StartAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        var clients = new List<RawConnection>();
        for (int i = 0; i < 500; i++)
        {
            RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            clients.Add(client);
            await client.SendAsync(Wire.Bytes("80200000 00000001 00000000")); // two mebibytes claimed: together, a gibibyte
        }
        await ExpectSoundAsync(server);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64L * Mebibyte);
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task Half_sent_records_pause_at_the_server_s_bound_and_small_calls_go_on()
    {
        var clock = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = clock });
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.System = system;
            options.MaximumBytes = 2 * Mebibyte;
        });
        byte[] most = new byte[4 + Mebibyte]; // of a record of two
        BinaryPrimitives.WriteUInt32BigEndian(most, 0x80200000);
        var clients = new List<RawConnection>();
        var sending = new List<Task>();
        for (int i = 0; i < 20; i++)
        {
            RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            clients.Add(client);
            await client.PingAsync();
            sending.Add(client.SendAsync(most).AsTask());
        }
        using (RawConnection other = await RawConnection.OpenAsync(server.EndPoint))
        {
            for (uint i = 0; i < 100; i++)
                await other.PingAsync(i);
        }
        // On top of the bound comes one record that passes it (and, not counted, the little that each may always hold).
        Assert.InRange(server.Rpc.BytesHeld, 0, (2 * Mebibyte) + (2 * Mebibyte) + 4096);
        foreach (RawConnection client in clients)
            await AdvanceUntilEndAsync(clock, client, TimeSpan.FromSeconds(15));
        foreach (Task task in sending)
            await task.ContinueWith(static _ => { }, TaskScheduler.Default); // it was cut, or the kernel had taken all of it
        await server.Rpc.StopAsync();
        Assert.Equal(0, server.Rpc.BytesHeld);
    }

    // The bound is far below what the unfinished records of all of them take, which must not wait for each other.
    [Theory]
    [InlineData(1)]
    [InlineData(Mebibyte)]
    public async Task Many_large_calls_past_the_server_s_bound_are_all_answered(int bound)
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumBytes = bound);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            byte[] call = Wire.Bytes(RawConnection.Call(1, TestProgram.Echo, "00080000"));
            byte[] record = RawConnection.Record([.. call, .. new byte[Mebibyte / 2]]);
            Task sending = Task.Run(async () =>
            {
                for (int i = 0; i < 5; i++)
                    await client.SendAsync(record);
            });
            for (int i = 0; i < 5; i++)
                Assert.Equal(24 + 4 + (Mebibyte / 2), (await client.ReceiveAsync())!.Length);
            await sending;
        }));
        await server.Rpc.StopAsync();
        Assert.Equal(0, server.Rpc.BytesHeld);
    }

    [Fact]
    public async Task Half_sent_records_are_closed_in_their_time_and_idle_connections_stay()
    {
        var clock = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = clock });
        await using TestServer server = await TestServer.StartAsync(options =>
        {
            options.System = system;
            options.StallTimeout = TimeSpan.FromMinutes(1);
            options.IdleTimeout = TimeSpan.FromDays(10_000); // the clock runs as fast as it can
        });
        using RawConnection half = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection halfHeader = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection idle = await RawConnection.OpenAsync(server.EndPoint);
        await idle.PingAsync();
        await half.SendAsync(Wire.Bytes("80000028 00000001"));
        await halfHeader.SendAsync(Wire.Bytes("8000"));
        await AdvanceUntilEndAsync(clock, half, TimeSpan.FromSeconds(15));
        await AdvanceUntilEndAsync(clock, halfHeader, TimeSpan.FromSeconds(15));
        await idle.PingAsync(2);
    }

    [Fact]
    public async Task Idle_connections_are_closed_in_their_time()
    {
        var clock = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = clock });
        await using TestServer server = await TestServer.StartAsync(options => options.System = system);
        using RawConnection idle = await RawConnection.OpenAsync(server.EndPoint);
        using RawConnection busy = await RawConnection.OpenAsync(server.EndPoint);
        await idle.PingAsync();
        await busy.SendRecordAsync(RawConnection.Call(1, TestProgram.Hold, "0000002A"));
        await server.Program.Held.WaitAsync();
        await AdvanceUntilEndAsync(clock, idle, TimeSpan.FromMinutes(1));
        server.Program.Release.CompleteAll();
        await busy.ExpectAsync(RawConnection.Success(1, "0000002A")); // a call that runs is not idleness
    }

    [Fact]
    public async Task A_client_that_never_reads_its_replies_is_disconnected_in_its_time()
    {
        var clock = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = clock });
        await using TestServer server = await TestServer.StartAsync(options => options.System = system);
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        for (uint i = 0; i < 100; i++)
            await client.SendRecordAsync(RawConnection.Call(i, TestProgram.Fill, "00100000")); // more than the kernel's buffers hold
        while (server.Rpc.ConnectionCount > 0)
        {
            clock.Advance(TimeSpan.FromSeconds(15));
            await Task.Run(Thread.Yield);
        }
        await ExpectSoundAsync(server);
    }

    [Fact]
    public async Task Ten_thousand_connections_opened_and_dropped()
    {
        await using TestServer server = await TestServer.StartAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 10_000; i++)
        {
            using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
            switch (i % 4)
            {
                case 1:
                    await client.SendAsync(new byte[] { 0x80 });
                    break;
                case 2:
                    await client.SendRecordAsync(RawConnection.Call(1, TestProgram.Echo, "00000000"));
                    break;
                case 3:
                    await client.SendAsync(Wire.Bytes("80000100 00000001"));
                    break;
            }
            client.Socket.Close(0); // a reset, unless the server was faster
        }
        await ExpectSoundAsync(server);
        await server.Rpc.StopAsync();
        Assert.Equal(0, server.Rpc.ConnectionCount);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64L * Mebibyte);
    }

    [Fact]
    public async Task Connections_past_the_limit_are_closed_and_the_others_served()
    {
        await using TestServer server = await TestServer.StartAsync(options => options.MaximumConnections = 3);
        var clients = new List<RawConnection>();
        for (int i = 0; i < 3; i++)
        {
            clients.Add(await RawConnection.OpenAsync(server.EndPoint));
            await clients[i].PingAsync();
        }
        await ExpectRefusedAsync(server);
        foreach (RawConnection client in clients)
        {
            await client.PingAsync(2);
            client.Dispose();
        }
    }

    [Fact]
    public async Task A_thousand_idle_connections_hold_up_nobody_and_take_no_threads()
    {
        await using TestServer server = await TestServer.StartAsync();
        int threads = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;
        var clients = new List<RawConnection>();
        for (int i = 0; i < 1000; i++)
        {
            clients.Add(await RawConnection.OpenAsync(server.EndPoint));
            await clients[i].PingAsync();
        }
        Assert.InRange(System.Diagnostics.Process.GetCurrentProcess().Threads.Count - threads, -1000, 100);
        Assert.Equal(1000, server.Rpc.ConnectionCount);
        await clients[0].PingAsync(2);
        clients.ForEach(client => client.Dispose());
    }

    private static async Task ExpectRefusedAsync(TestServer server)
    {
        try
        {
            using RawConnection refused = await RawConnection.OpenAsync(server.EndPoint);
            await refused.ExpectEndAsync();
        }
        catch (SocketException exception)
        {
            Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode); // the end came before the beginning was over
        }
    }

    // Sends, closes the sending side, and reads whatever comes until the server closes, too: so nothing of it is left when this returns.
    private static void SendToTheEnd(TestServer server, byte[] bytes)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(server.EndPoint);
        var received = new MemoryStream();
        try
        {
            socket.Send(bytes);
            socket.Shutdown(SocketShutdown.Send);
            byte[] buffer = new byte[64 << 10];
            for (int count; (count = socket.Receive(buffer)) > 0;)
                received.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            return; // reset: what had come before may be cut anywhere
        }
        // Whatever came is whole replies.
        ReadOnlySpan<byte> rest = received.ToArray();
        while (!rest.IsEmpty)
        {
            int length = (int)(BinaryPrimitives.ReadUInt32BigEndian(rest) & 0x7FFFFFFF);
            Assert.True(length >= 20 && length <= rest.Length - 4);
            Assert.Equal(1u, BinaryPrimitives.ReadUInt32BigEndian(rest[8..])); // REPLY
            rest = rest[(4 + length)..];
        }
    }

    private static async Task AdvanceUntilEndAsync(FakeTimeProvider clock, RawConnection client, TimeSpan step)
    {
        Task end = client.ExpectEndAsync();
        while (!end.IsCompleted)
        {
            // The reaper arms its timer anew on a worker; a clock that is moved before that moves it again next time round.
            clock.Advance(step);
            await Task.WhenAny(end, Task.Run(Thread.Yield));
        }
        await end;
    }

    private static async Task ExpectSoundAsync(TestServer server)
    {
        using RawConnection client = await RawConnection.OpenAsync(server.EndPoint);
        await client.PingAsync();
        Assert.All(server.Errors.Errors, error => Assert.Contains("answered SYSTEM_ERR", error, StringComparison.Ordinal));
    }
}
