using System.Net.Sockets;
using Kworker.Nfsd.Tests.Wire;
using Kworker.Samples;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>The same over UDP, where a reply is one datagram.</summary>
public sealed class UdpTests : IDisposable
{
    private readonly ServedFileSystem _served = new(new MemoryFileSystem());
    private readonly Nfs3Client _tcp;
    private readonly byte[] _root;
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 60_000 };
    private uint _xid;

    public UdpTests()
    {
        _tcp = _served.Connect();
        _root = _tcp.MustMount(ServedFileSystem.Path);
        _socket.Connect(_served.Server.EndPoints[0]);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _tcp.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void Mount_and_nfs_answer_on_the_same_port()
    {
        XdrCursor mounted = Call(Nfs3Client.Mount, 1, new XdrBytes().Opaque("/export"u8));
        Assert.Equal(0u, mounted.U32());
        Assert.Equal(_root, mounted.Opaque());
        Assert.Equal(Stat.Ok, Call(Nfs3Client.Nfs, 1, new XdrBytes().Opaque(_root)).U32());
    }

    [Fact]
    public void Sizes_are_those_of_a_datagram()
    {
        byte[] file = _tcp.MustCreate(_root, "file");
        _tcp.Write(file, 0, new byte[100_000]);
        XdrCursor read = Call(Nfs3Client.Nfs, 6, new XdrBytes().Opaque(file).U64(0).U32(100_000));
        Assert.Equal(Stat.Ok, read.U32());
        Nfs3Client.ReadPostOpAttr(read);
        Assert.Equal(32768u, read.U32());
        Assert.False(read.Bool());

        XdrCursor info = Call(Nfs3Client.Nfs, 19, new XdrBytes().Opaque(_root));
        Assert.Equal(Stat.Ok, info.U32());
        Nfs3Client.ReadPostOpAttr(info);
        Assert.Equal(32768u, info.U32());
    }

    [Fact]
    public void A_listing_without_limit_keeps_to_the_datagram()
    {
        for (int i = 0; i < 400; i++)
            _tcp.MustCreate(_root, $"{i}-{new string('x', 200)}");
        XdrCursor listed = Call(Nfs3Client.Nfs, 17, new XdrBytes().Opaque(_root).U64(0).U64(0).U32(uint.MaxValue).U32(uint.MaxValue));
        Assert.Equal(Stat.Ok, listed.U32());
        Assert.InRange(listed.Remaining, 16384, 32768);
    }

    private XdrCursor Call(uint program, uint procedure, XdrBytes arguments)
    {
        uint xid = ++_xid;
        _socket.Send(RpcConnection.Message(xid, program, 3, procedure, RpcConnection.SysCredential(0, 0), arguments.ToArray()));
        var datagram = new byte[65536];
        int length = _socket.Receive(datagram);
        RpcAnswer answer = RpcConnection.Parse(xid, datagram[..length]);
        Assert.Equal((true, 0u), (answer.IsAccepted, answer.Status));
        return answer.Body;
    }
}
