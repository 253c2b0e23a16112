using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.Interop.Wire;

/// <summary>
/// An ONC RPC (RFC 5531) connection over TCP, written from the RFC with nothing but a socket under it, so that what it finds out is not
/// what our own encoder and decoder agree on. One call at a time; AUTH_SYS.
/// </summary>
internal sealed class RawRpc : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private static uint s_xid;
    private readonly Socket _socket;

    private RawRpc(Socket socket) => _socket = socket;

    public uint Uid { get; init; }

    public uint Gid { get; init; }

    public Socket Socket => _socket;

    public static async Task<RawRpc> ConnectAsync(IPEndPoint address, uint uid = 0, uint gid = 0)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        return new RawRpc(socket) { Uid = uid, Gid = gid };
    }

    /// <summary>A call's bytes without its record mark.</summary>
    public byte[] Call(uint program, uint version, uint procedure, RawWriter? arguments, uint xid)
    {
        var credentials = new RawWriter().UInt32(0).Text("interop").UInt32(Uid).UInt32(Gid).UInt32(0);
        var head = new RawWriter().UInt32(xid).UInt32(0).UInt32(2).UInt32(program).UInt32(version).UInt32(procedure)
            .UInt32(1).Opaque(credentials.ToArray()).UInt32(0).UInt32(0);
        return [.. head.ToArray(), .. arguments?.ToArray() ?? []];
    }

    /// <summary>Calls and waits for the results; anything but success (RFC 5531, section 9) fails the test.</summary>
    public async Task<RawReader> CallAsync(uint program, uint version, uint procedure, RawWriter? arguments = null)
    {
        var xid = Interlocked.Increment(ref s_xid);
        await SendRecordAsync(Call(program, version, procedure, arguments, xid));
        var reply = new RawReader(await ReceiveRecordAsync());
        Assert.Equal(xid, reply.UInt32());
        Assert.Equal((1u, 0u), (reply.UInt32(), reply.UInt32())); // a reply, accepted
        Assert.Equal(0u, reply.UInt32());                         // verifier: AUTH_NONE
        Assert.Empty(reply.Opaque());
        var status = reply.UInt32();
        Assert.True(status == 0, $"program {program} version {version} procedure {procedure}: accept status {status}");
        return reply;
    }

    /// <summary>Sends <paramref name="record"/> as one last fragment.</summary>
    public async Task SendRecordAsync(byte[] record)
    {
        var mark = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(mark, 0x80000000 | (uint)record.Length);
        await SendAsync([.. mark, .. record]);
    }

    public async Task SendAsync(byte[] bytes)
    {
        for (var sent = 0; sent < bytes.Length;)
            sent += await _socket.SendAsync(bytes.AsMemory(sent)).AsTask().WaitAsync(s_limit);
    }

    public async Task<byte[]> ReceiveRecordAsync()
    {
        var record = new MemoryStream();
        while (true)
        {
            var mark = BinaryPrimitives.ReadUInt32BigEndian(await ReceiveAsync(4));
            record.Write(await ReceiveAsync((int)(mark & 0x7fffffff)));
            if ((mark & 0x80000000) != 0)
                return record.ToArray();
        }
    }

    /// <summary>Reads until the server closes the connection, whether in good order or by a reset.</summary>
    public async Task ClosedByServerAsync()
    {
        var bytes = new byte[4096];
        try
        {
            while (await _socket.ReceiveAsync(bytes.AsMemory()).AsTask().WaitAsync(s_limit) > 0)
                continue;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
        {
            return; // a reset: closed all the same
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReceiveAsync(int length)
    {
        var bytes = new byte[length];
        for (var got = 0; got < length;)
        {
            var n = await _socket.ReceiveAsync(bytes.AsMemory(got)).AsTask().WaitAsync(s_limit);
            if (n == 0)
                throw new EndOfStreamException("the server closed the connection");
            got += n;
        }

        return bytes;
    }
}
