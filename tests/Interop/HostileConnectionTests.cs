using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Kworker.Interop.Peers;
using Kworker.Interop.Wire;

namespace Kworker.Interop;

/// <summary>What anybody may send to the port: the server goes on serving, and what it holds in memory stays bounded.</summary>
public sealed class HostileConnectionTests : IAsyncLifetime
{
    // Far above what the daemon needs to stand idle or to serve, far below what a believed length would take.
    private const long Memory = 400L << 20;
    private NfsServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await NfsServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Ten_thousand_connections_opened_and_dropped()
    {
        for (var i = 0; i < 10_000; i++)
        {
            using var socket = await ConnectAsync();
            // Every third is reset rather than closed, every fourth leaves something half said.
            if (i % 3 == 0)
                socket.LingerState = new LingerOption(true, 0);
            if (i % 4 == 0)
                await socket.SendAsync(new byte[i % 44]);
        }

        await StillServesAsync();
    }

    [Fact]
    public async Task A_thousand_idle_connections_hold_up_nobody()
    {
        var idle = new List<Socket>();
        try
        {
            for (var i = 0; i < 1000; i++)
                idle.Add(await ConnectAsync());
            await StillServesAsync();
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Records_half_sent_hold_up_nobody()
    {
        var half = new List<RawRpc>();
        try
        {
            for (var i = 0; i < 200; i++)
            {
                var rpc = await RawRpc.ConnectAsync(_server.Address);
                half.Add(rpc);
                // A mark that promises 64 KiB, then a part of it; every other one stops within the mark.
                var bytes = new byte[i % 2 == 0 ? 2 : 4 + (i * 100)];
                bytes[0] = 0x80;
                bytes[1] = 0x01;
                await rpc.SendAsync(bytes);
            }

            await StillServesAsync();
        }
        finally
        {
            half.ForEach(rpc => rpc.Dispose());
        }
    }

    [Theory]
    [InlineData(0xffffffffu)] // the last fragment, of 2 GiB
    [InlineData(0x7fffffffu)] // a fragment of 2 GiB with more to come
    public async Task A_record_that_claims_two_gibibytes_is_not_believed(uint mark)
    {
        var claims = new List<RawRpc>();
        try
        {
            for (var i = 0; i < 20; i++)
            {
                var rpc = await RawRpc.ConnectAsync(_server.Address);
                claims.Add(rpc);
                var bytes = new byte[4 + 4096];
                BinaryPrimitives.WriteUInt32BigEndian(bytes, mark);
                await rpc.SendAsync(bytes);
            }

            await StillServesAsync();
            foreach (var rpc in claims)
                await rpc.ClosedByServerAsync();
        }
        finally
        {
            claims.ForEach(rpc => rpc.Dispose());
        }
    }

    [Fact]
    public async Task Fragments_without_end_are_cut_off()
    {
        using var rpc = await RawRpc.ConnectAsync(_server.Address);
        var fragment = new byte[4 + (1 << 20)];
        BinaryPrimitives.WriteUInt32BigEndian(fragment, 1 << 20);
        var sent = 0L;
        try
        {
            for (; sent < 1L << 30; sent += fragment.Length)
                await rpc.SendAsync(fragment);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown)
        {
            Assert.True(sent < 1L << 30);
        }

        Assert.True(sent < 1L << 30, "the server took a record of a gibibyte");
        await StillServesAsync();
    }

    [Fact]
    public async Task Garbage_of_all_kinds()
    {
        const int Seed = 20260722;
        var random = new Random(Seed);
        var call = new byte[4];
        using (var sample = await RawRpc.ConnectAsync(_server.Address))
            call = sample.Call(100003, 3, 4, new RawWriter().Opaque(new byte[32]).UInt32(0x1f), 1);
        var clock = Stopwatch.StartNew();
        var connections = 0;
        while (clock.Elapsed < TimeSpan.FromSeconds(5))
        {
            using var rpc = await RawRpc.ConnectAsync(_server.Address);
            connections++;
            try
            {
                for (var i = 0; i < 20; i++)
                {
                    switch (random.Next(3))
                    {
                        case 0: // bytes without sense, marks included
                            await rpc.SendAsync(Bytes(random, random.Next(1, 20_000)));
                            break;
                        case 1: // a record without sense
                            await rpc.SendRecordAsync(Bytes(random, random.Next(0, 2000)));
                            break;
                        default: // a real call with some bytes changed, or cut
                            var changed = (byte[])call.Clone();
                            for (var n = random.Next(1, 6); n > 0; n--)
                                changed[random.Next(changed.Length)] = (byte)random.Next(256);
                            await rpc.SendRecordAsync(changed[..random.Next(1, changed.Length + 1)]);
                            break;
                    }
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown)
            {
                continue; // the server had enough of it, as it should
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{connections} connections, seed {Seed}");
        await StillServesAsync();
    }

    [Fact]
    public async Task Garbage_in_datagrams()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: over UDP the peer has another port");
        var random = new Random(1831);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(_server.Address);
        for (var i = 0; i < 20_000; i++)
        {
            try
            {
                await socket.SendAsync(Bytes(random, random.Next(0, 1400)));
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                Assert.Fail($"nobody has the UDP port any more after {i} datagrams");
            }
        }

        await StillServesAsync();
    }

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, _server.Port));
        return socket;
    }

    /// <summary>A client that behaves gets its answers, and the server has not grown without bound.</summary>
    private async Task StillServesAsync()
    {
        using var nfs = await RawNfs.MountAsync(_server.Address, _server.MountPort, _server.Export);
        var (status, file) = await nfs.CreateAsync(nfs.Root, "still");
        Assert.Equal(RawNfs.Ok, status);
        await nfs.WriteAsync(file, 0, "serves"u8.ToArray(), RawNfs.Stable.FileSync);
        Assert.Equal("serves"u8.ToArray(), await nfs.ReadAsync(file, 0, 100));
        Assert.InRange(_server.ResidentBytes, 0, Memory);
    }
}
