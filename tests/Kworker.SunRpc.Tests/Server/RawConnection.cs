using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc.Tests;

/// <summary>A TCP client that knows record marks and nothing else: what it sends and gets is written out in the tests.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client;

    private RawConnection(TcpClient client)
    {
        _client = client;
        Stream = client.GetStream();
    }

    public Socket Socket => _client.Client;

    public NetworkStream Stream { get; }

    public static async Task<RawConnection> OpenAsync(IPEndPoint server)
    {
        var client = new TcpClient(server.AddressFamily) { NoDelay = true };
        await client.ConnectAsync(server);
        return new RawConnection(client);
    }

    /// <summary>The words of a call with AUTH_NONE, without record mark.</summary>
    public static string Call(uint xid, uint procedure, string arguments = "", uint version = 4, uint program = TestProgram.Id) =>
        $"{xid:X8} 00000000 00000002 {program:X8} {version:X8} {procedure:X8} 00000000 00000000 00000000 00000000 {arguments}";

    /// <summary>The words of a reply with SUCCESS.</summary>
    public static string Success(uint xid, string results = "") => $"{xid:X8} 00000001 00000000 00000000 00000000 00000000 {results}";

    public static byte[] Record(string message) => Record(Wire.Bytes(message));

    public static byte[] Record(byte[] message)
    {
        byte[] record = new byte[4 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(record, 0x80000000 | (uint)message.Length);
        message.CopyTo(record, 4);
        return record;
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => Stream.WriteAsync(bytes);

    public ValueTask SendRecordAsync(string message) => SendAsync(Record(message));

    /// <summary>The next record, of one fragment; null at the end of the connection, however it came.</summary>
    public async Task<byte[]?> ReceiveAsync()
    {
        byte[] header = new byte[4];
        if (!await TryReadAsync(header))
            return null;
        uint word = BinaryPrimitives.ReadUInt32BigEndian(header);
        Assert.True((word & 0x80000000) != 0, "our server sends one fragment a record");
        byte[] record = new byte[word & 0x7FFFFFFF];
        return await TryReadAsync(record) ? record : null;
    }

    public async Task ExpectAsync(string message)
    {
        byte[]? record = await ReceiveAsync();
        Assert.NotNull(record);
        Assert.Equal(Convert.ToHexString(Wire.Bytes(message)), Convert.ToHexString(record));
    }

    public async Task ExchangeAsync(string call, string reply)
    {
        await SendRecordAsync(call);
        await ExpectAsync(reply);
    }

    /// <summary>The NULL procedure still answers.</summary>
    public Task PingAsync(uint xid = 0x4E554C4C) => ExchangeAsync(Call(xid, 0), Success(xid));

    public async Task ExpectEndAsync() => Assert.Null(await ReceiveAsync());

    public void Dispose() => _client.Dispose();

    private async Task<bool> TryReadAsync(Memory<byte> buffer)
    {
        try
        {
            return await Stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false) == buffer.Length;
        }
        catch (IOException)
        {
            // A reset is an end, too.
            return false;
        }
    }
}
