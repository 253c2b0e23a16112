using System.Net;
using System.Net.Sockets;

namespace Kworker.SunRpc.Tests;

/// <summary>A server that does nothing by itself: the test takes connections and calls, and answers as the script says.</summary>
internal sealed class ScriptedServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ScriptedServer() => _listener.Start();

    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndpoint;

    public async Task<ScriptedConnection> AcceptAsync() => new(await _listener.AcceptTcpClientAsync());

    public void Dispose() => _listener.Dispose();
}

/// <summary>A connection as the scripted server sees it.</summary>
internal sealed class ScriptedConnection(TcpClient client) : IDisposable
{
    private readonly NetworkStream _stream = client.GetStream();

    /// <summary>The next call: its xid and its one argument.</summary>
    public async Task<(uint Xid, uint Argument)> ReceiveAsync()
    {
        byte[] mark = new byte[4];
        await _stream.ReadExactlyAsync(mark);
        byte[] record = new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(mark) & 0x7FFFFFFF];
        await _stream.ReadExactlyAsync(record);
        return (System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(record),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(record.AsSpan(record.Length - 4)));
    }

    public ValueTask ReplyAsync(uint xid, uint result) => SendAsync(RawConnection.Record(RawConnection.Success(xid, $"{result:X8}")));

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => _stream.WriteAsync(bytes);

    /// <summary>Whether the client closed it.</summary>
    public async Task<bool> IsEndedAsync()
    {
        try
        {
            return await _stream.ReadAsync(new byte[1]) == 0;
        }
        catch (IOException)
        {
            return true; // a reset is an end, too
        }
    }

    public void Dispose() => client.Dispose();
}
