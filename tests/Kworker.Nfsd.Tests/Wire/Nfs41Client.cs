using System.Net;
using System.Text;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>A client of 4.1 with a session, as far as tests need one: each compound begins with its SEQUENCE. Bytes of our own making.</summary>
internal sealed class Nfs41Client : IDisposable
{
    public const uint Sequence = 53, ExchangeId = 42, CreateSession = 43, DestroySession = 44, BindConnection = 41, ReclaimComplete = 58, BackchannelCtl = 40;
    public const uint DestroyClientid = 57, TestStateid = 55, FreeStateid = 45, SecInfoNoName = 52;
    public const uint Open = 18, OpenDowngrade = 21, Close = 4, Lock = 12, LockT = 13, LockU = 14, DelegReturn = 8;
    public const uint ReadLock = 1, WriteLock = 2, ReadLockWait = 3, WriteLockWait = 4;
    public const uint CallbackProgram = 0x40000000;
    private const uint BackChannel = 2;

    private readonly uint[] _seqids;
    private readonly byte[] _owner;

    /// <param name="server">Where it is.</param>
    /// <param name="name">What the client calls itself.</param>
    /// <param name="withBackChannel">Whether this connection is to carry the server's calls, too.</param>
    /// <param name="slots">How many slots to ask for.</param>
    /// <param name="size">Bytes of the longest request and reply to ask for.</param>
    /// <param name="cached">Bytes of the longest reply that is kept.</param>
    /// <param name="completes">Whether it says at once that it has nothing to reclaim.</param>
    public Nfs41Client(
        IPEndPoint server, string name, bool withBackChannel = false, uint slots = 4, uint size = 1 << 16, uint cached = 4096, bool completes = true)
    {
        Wire = new Nfs4Client(server).As(0, 0);
        _owner = Encoding.ASCII.GetBytes(name);
        Reply4 reply = Wire.Send(Nfs4Client.Compound(1, "x"u8, ExchangeIdOf(name)));
        Assert.Equal(0u, reply.Status);
        reply.Next(ExchangeId);
        ClientId = reply.Body.U64();
        CreateSeqid = reply.Body.U32();
        reply = Wire.Send(Nfs4Client.Compound(1, "c"u8, CreateSessionOf(ClientId, CreateSeqid, withBackChannel ? BackChannel : 0, slots, size, cached)));
        Assert.Equal(0u, reply.Status);
        reply.Next(CreateSession);
        Session = [.. Op4.U64(reply.Body.U64()), .. Op4.U64(reply.Body.U64())];
        reply.Body.U32();
        Flags = reply.Body.U32();
        _seqids = new uint[slots];
        if (completes)
            Assert.Equal(0u, Run(new Op4(ReclaimComplete, Op4.U32(0))).Status);
    }

    public Nfs4Client Wire { get; }

    /// <summary>That of <see cref="Run(ReadOnlySpan{Op4})"/>'s compounds: 1 or 2.</summary>
    public uint MinorVersion { get; set; } = 1;

    public ulong ClientId { get; }

    public uint CreateSeqid { get; }

    /// <summary>Sixteen bytes.</summary>
    public byte[] Session { get; }

    /// <summary>As CREATE_SESSION granted them.</summary>
    public uint Flags { get; }

    /// <summary>What the last SEQUENCE told: SEQ4_STATUS_*.</summary>
    public uint StatusFlags { get; private set; }

    public static Op4 ExchangeIdOf(string name, ulong verifier = 1) =>
        new(ExchangeId, new XdrBytes().U64(verifier).Opaque(Encoding.ASCII.GetBytes(name)).U32(0).U32(0).U32(0).ToArray());

    public static Op4 CreateSessionOf(ulong client, uint seqid, uint flags, uint slots, uint size = 1 << 16, uint cached = 4096)
    {
        XdrBytes bytes = new XdrBytes().U64(client).U32(seqid).U32(flags);
        for (int channel = 0; channel < 2; channel++)
            bytes.U32(0).U32(size).U32(size).U32(cached).U32(16).U32(slots).U32(0);
        return new Op4(CreateSession, bytes.U32(CallbackProgram).U32(1).U32(0).ToArray());
    }

    public Op4 SequenceOf(uint slot, uint seqid, bool cacheThis = false) =>
        new(Sequence, new XdrBytes().Raw(Session).U32(seqid).U32(slot).U32((uint)_seqids.Length - 1).Bool(cacheThis).ToArray());

    /// <summary>Runs operations in the first slot; the reply stands behind SEQUENCE's result.</summary>
    public Reply4 Run(params ReadOnlySpan<Op4> operations) => Run(Wire, operations);

    /// <summary>The same, over another connection.</summary>
    public Reply4 Run(Nfs4Client over, params ReadOnlySpan<Op4> operations)
    {
        Reply4 reply = over.Send(Nfs4Client.Compound(MinorVersion, "t"u8, [SequenceOf(0, ++_seqids[0]), .. operations]));
        Assert.Equal(0u, reply.Next(Sequence));
        for (int word = 0; word < 8; word++)
            reply.Body.U32();
        StatusFlags = reply.Body.U32();
        return reply;
    }

    /// <summary>Sends operations to the server without waiting for the answer, which is to be taken by <see cref="RpcConnection.Receive"/>.</summary>
    public void Post(Nfs4Client over, params ReadOnlySpan<Op4> operations) => over.Rpc.Send(RpcConnection.Message(
        1, Nfs4Client.Program, 4, 1, over.Rpc.Credential, Nfs4Client.Compound(1, "t"u8, [SequenceOf(0, ++_seqids[0]), .. operations])));

    /// <summary>OPEN of a name for reading and writing, made if it is not there.</summary>
    public Op4 OpenOf(string name, uint deny = 0) => new(
        Open,
        new XdrBytes().U32(0).U32(3).U32(deny).U64(ClientId).Opaque(_owner).U32(1).U32(0).U32(0).U32(0).U32(0).Opaque(Encoding.ASCII.GetBytes(name)).ToArray());

    /// <summary>Opens a file of a directory for reading and writing, made if it is not there.</summary>
    public (byte[] Handle, byte[] Stateid, uint Flags) MustOpen(byte[] directory, string name, uint deny = 0)
    {
        Reply4 reply = Run(Op4.PutFh(directory), OpenOf(name, deny), Op4.GetFh);
        Assert.Equal(0u, reply.Status);
        reply.Skip(Op4.PutFh([]));
        reply.Next(Open);
        byte[] stateid = Stateid(reply);
        reply.Body.U32();
        reply.Body.U64();
        reply.Body.U64();
        uint flags = reply.Body.U32();
        for (uint words = reply.Body.U32(); words > 0; words--)
            reply.Body.U32();
        Assert.Equal(0u, reply.Body.U32()); // no delegation
        Assert.Equal(0u, reply.Next(Op4.GetFh));
        return (reply.Body.Opaque(), stateid, flags);
    }

    /// <summary>LOCK by an owner that an open introduces.</summary>
    public Op4 LockOf(byte[] open, string owner, uint type = WriteLock, ulong offset = 0, ulong length = ulong.MaxValue) => new(
        Lock,
        new XdrBytes().U32(type).U32(0).U64(offset).U64(length).U32(1).U32(0).Raw(Latest(open)).U32(0).U64(ClientId).Opaque(Encoding.ASCII.GetBytes(owner)).ToArray());

    /// <summary>Asks for a lock; its stateid if it is granted.</summary>
    public (uint Status, byte[] Stateid) TryLock(byte[] handle, byte[] open, string owner, uint type = WriteLock, ulong offset = 0, ulong length = ulong.MaxValue)
    {
        Reply4 reply = Run(Op4.PutFh(handle), LockOf(open, owner, type, offset, length)).Skip(Op4.PutFh([]));
        uint status = reply.Next(Lock);
        return (status, status == 0 ? Stateid(reply) : []);
    }

    public uint Unlock(byte[] handle, byte[] locks, ulong offset = 0, ulong length = ulong.MaxValue) =>
        Run(Op4.PutFh(handle), new Op4(LockU, new XdrBytes().U32(WriteLock).U32(0).Raw(Latest(locks)).U64(offset).U64(length).ToArray())).Status;

    public uint MustClose(byte[] handle, byte[] open) =>
        Run(Op4.PutFh(handle), new Op4(Close, new XdrBytes().U32(0).Raw(Latest(open)).ToArray())).Status;

    public byte[] Root(string export)
    {
        Reply4 reply = Run(Op4.PutRootFh, Op4.Lookup(Encoding.ASCII.GetBytes(export)), Op4.GetFh).Skip(Op4.PutRootFh, Op4.Lookup([]), Op4.GetFh);
        return reply.Body.Opaque();
    }

    public void Dispose() => Wire.Dispose();

    /// <summary>The same state in whatever version (RFC 8881 section 8.2.2).</summary>
    public static byte[] Latest(byte[] stateid) => [.. Op4.U32(0), .. stateid[4..]];

    /// <summary>Reads a stateid.</summary>
    public static byte[] Stateid(Reply4 reply) =>
        [.. Op4.U32(reply.Body.U32()), .. Op4.U32(reply.Body.U32()), .. Op4.U32(reply.Body.U32()), .. Op4.U32(reply.Body.U32())];
}
