using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>An RPC reply, taken apart as far as it goes for every procedure.</summary>
/// <param name="IsAccepted">MSG_ACCEPTED; else MSG_DENIED.</param>
/// <param name="Status">accept_stat, or reject_stat.</param>
/// <param name="Body">What follows.</param>
internal sealed record RpcAnswer(bool IsAccepted, uint Status, XdrCursor Body);

/// <summary>A TCP connection to a server, one call at a time, with bytes of our own making. Silence for a minute is a failure, not a wait for ever.</summary>
internal sealed class RpcConnection : IDisposable
{
    private const uint LastFragment = 0x8000_0000;

    private readonly Socket _socket;
    private uint _xid = (uint)Random.Shared.Next();

    public RpcConnection(IPEndPoint server)
    {
        _socket = new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 60_000, SendTimeout = 60_000 };
        _socket.Connect(server);
    }

    /// <summary>As whom: an AUTH_SYS body, or null for AUTH_NONE.</summary>
    public byte[]? Credential { get; set; } = SysCredential(0, 0);

    public static byte[] SysCredential(uint uid, uint gid, params uint[] groups)
    {
        XdrBytes body = new XdrBytes().U32(7).Opaque("client"u8).U32(uid).U32(gid).U32((uint)groups.Length);
        foreach (uint group in groups)
            body.U32(group);
        return body.ToArray();
    }

    /// <summary>Takes a call of the server's that comes while an answer is awaited; what it returns is sent back. Null: there must be none.</summary>
    public Func<byte[], byte[]?>? OnCall { get; set; }

    public RpcAnswer Call(uint program, uint version, uint procedure, ReadOnlySpan<byte> arguments)
    {
        uint xid = unchecked(++_xid);
        Send(Message(xid, program, version, procedure, Credential, arguments));
        while (true)
        {
            byte[] message = Receive();
            if (OnCall is null || !IsCall(message))
                return Parse(xid, message);
            if (OnCall(message) is { } reply)
                Send(reply);
        }
    }

    /// <summary>Whether a message is a call, not a reply.</summary>
    public static bool IsCall(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadUInt32BigEndian(message[4..]) == 0;

    public static byte[] Message(uint xid, uint program, uint version, uint procedure, byte[]? credential, ReadOnlySpan<byte> arguments)
    {
        XdrBytes message = new XdrBytes().U32(xid).U32(0).U32(2).U32(program).U32(version).U32(procedure);
        if (credential is null)
            message.U32(0).U32(0);
        else
            message.U32(1).Opaque(credential);
        return message.U32(0).U32(0).Raw(arguments).ToArray();
    }

    public static RpcAnswer Parse(uint xid, byte[] message)
    {
        var reply = new XdrCursor(message);
        Assert.Equal(xid, reply.U32());
        Assert.Equal(1u, reply.U32());
        bool isAccepted = reply.U32() == 0;
        if (isAccepted)
        {
            Assert.Equal(0u, reply.U32());
            Assert.Empty(reply.Opaque());
        }
        return new RpcAnswer(isAccepted, reply.U32(), reply);
    }

    public void Send(ReadOnlySpan<byte> message)
    {
        var record = new byte[4 + message.Length];
        BinaryPrimitives.WriteUInt32BigEndian(record, LastFragment | (uint)message.Length);
        message.CopyTo(record.AsSpan(4));
        for (int sent = 0; sent < record.Length;)
            sent += _socket.Send(record.AsSpan(sent));
    }

    public byte[] Receive()
    {
        var message = new List<byte>();
        Span<byte> mark = stackalloc byte[4];
        uint header;
        do
        {
            Fill(mark);
            header = BinaryPrimitives.ReadUInt32BigEndian(mark);
            var fragment = new byte[header & ~LastFragment];
            Fill(fragment);
            message.AddRange(fragment);
        }
        while ((header & LastFragment) == 0);
        return [.. message];
    }

    public void Dispose() => _socket.Dispose();

    private void Fill(Span<byte> target)
    {
        while (!target.IsEmpty)
        {
            int received = _socket.Receive(target);
            Assert.True(received > 0, "the server closed the connection");
            target = target[received..];
        }
    }
}
