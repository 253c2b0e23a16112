using Kworker.Interop.Wire;

namespace Kworker.Interop.Crash;

/// <summary>An operation of NFSv4: its number and its arguments, written by hand from RFC 7530 and RFC 8881.</summary>
internal readonly record struct Operation4(uint Number, byte[] Arguments)
{
    public const uint ShareRead = 1;
    public const uint ShareBoth = 3;
    public const uint DenyNone = 0;
    public const uint DenyWrite = 2;

    public static Operation4 PutRootFh => new(24, []);

    public static Operation4 GetFh => new(10, []);

    public static Operation4 PutFh(byte[] handle) => new(22, new RawWriter().Opaque(handle).ToArray());

    public static Operation4 Lookup(string name) => new(15, new RawWriter().Text(name).ToArray());

    /// <summary>OPEN of a name in the current directory, made if it is not there.</summary>
    public static Operation4 Open(uint seqid, uint access, uint deny, ulong client, string owner, string name) =>
        new(18, OpenHead(seqid, access, deny, client, owner).UInt32(1).UInt32(0).UInt32(0).UInt32(0).UInt32(0).Text(name).ToArray());

    /// <summary>OPEN of the current file, which was open before the server's restart: CLAIM_PREVIOUS.</summary>
    public static Operation4 Reclaim(uint seqid, uint access, uint deny, ulong client, string owner) =>
        new(18, OpenHead(seqid, access, deny, client, owner).UInt32(0).UInt32(1).UInt32(0).ToArray());

    public static Operation4 OpenConfirm(byte[] stateid, uint seqid) => new(20, new RawWriter().Fixed(stateid).UInt32(seqid).ToArray());

    public static Operation4 Close(uint seqid, byte[] stateid) => new(4, new RawWriter().UInt32(seqid).Fixed(stateid).ToArray());

    /// <summary>LOCK by an owner that the open introduces.</summary>
    public static Operation4 LockNew(bool reclaim, ulong offset, ulong length, uint openSeqid, byte[] open, uint lockSeqid, ulong client, string owner) =>
        new(12, LockHead(reclaim, offset, length).UInt32(1).UInt32(openSeqid).Fixed(open).UInt32(lockSeqid).UInt64(client).Text(owner).ToArray());

    /// <summary>LOCK by an owner that has a stateid for the file.</summary>
    public static Operation4 Lock(bool reclaim, ulong offset, ulong length, byte[] stateid, uint lockSeqid) =>
        new(12, LockHead(reclaim, offset, length).UInt32(0).Fixed(stateid).UInt32(lockSeqid).ToArray());

    public static Operation4 Unlock(uint seqid, byte[] stateid, ulong offset, ulong length) =>
        new(14, new RawWriter().UInt32(2).UInt32(seqid).Fixed(stateid).UInt64(offset).UInt64(length).ToArray());

    public static Operation4 Read(byte[] stateid, ulong offset, uint count) => new(25, new RawWriter().Fixed(stateid).UInt64(offset).UInt32(count).ToArray());

    public static Operation4 Write(byte[] stateid, ulong offset, RawNfs.Stable stable, byte[] data) =>
        new(38, new RawWriter().Fixed(stateid).UInt64(offset).UInt32((uint)stable).Opaque(data).ToArray());

    public static Operation4 Commit(ulong offset, uint count) => new(5, new RawWriter().UInt64(offset).UInt32(count).ToArray());

    public static Operation4 SetClientId(ulong verifier, string name) =>
        new(35, new RawWriter().UInt64(verifier).Text(name).UInt32(0).Text("tcp").Text("0.0.0.0.0.0").UInt32(0).ToArray());

    public static Operation4 SetClientIdConfirm(ulong client, ulong verifier) => new(36, new RawWriter().UInt64(client).UInt64(verifier).ToArray());

    public static Operation4 ExchangeId(ulong verifier, string name) =>
        new(42, new RawWriter().UInt64(verifier).Text(name).UInt32(0).UInt32(0).UInt32(0).ToArray());

    public static Operation4 CreateSession(ulong client, uint sequence) =>
        new(43, Channel(Channel(new RawWriter().UInt64(client).UInt32(sequence).UInt32(0))).UInt32(0).UInt32(0).ToArray());

    public static Operation4 Sequence(byte[] session, uint sequence) => new(53, new RawWriter().Fixed(session).UInt32(sequence).UInt32(0).UInt32(0).UInt32(0).ToArray());

    public static Operation4 ReclaimComplete => new(58, new RawWriter().UInt32(0).ToArray());

    private static RawWriter OpenHead(uint seqid, uint access, uint deny, ulong client, string owner) =>
        new RawWriter().UInt32(seqid).UInt32(access).UInt32(deny).UInt64(client).Text(owner);

    private static RawWriter LockHead(bool reclaim, ulong offset, ulong length) =>
        new RawWriter().UInt32(2).UInt32(reclaim ? 1u : 0).UInt64(offset).UInt64(length); // WRITE_LT

    private static RawWriter Channel(RawWriter to) => to.UInt32(0).UInt32(1 << 20).UInt32(1 << 20).UInt32(4096).UInt32(16).UInt32(1).UInt32(0);
}

/// <summary>What a compound came to: its results are read one by one.</summary>
internal sealed class Results4(RawReader reply)
{
    /// <summary>The compound's status: that of the last operation that ran.</summary>
    public uint Status { get; private init; }

    public RawReader Body { get; } = reply;

    /// <summary>Sends operations as one COMPOUND.</summary>
    public static async Task<Results4> RunAsync(RawRpc rpc, uint minorVersion, params Operation4[] operations)
    {
        var arguments = new RawWriter().Text("").UInt32(minorVersion).UInt32((uint)operations.Length);
        foreach (var operation in operations)
            arguments.UInt32(operation.Number).Fixed(operation.Arguments);
        var reply = await rpc.CallAsync(100003, 4, 1, arguments);
        var status = reply.UInt32();
        reply.Opaque(); // tag
        reply.UInt32(); // how many results
        return new Results4(reply) { Status = status };
    }

    /// <summary>The status of the next result, which is of this operation.</summary>
    public uint Next(Operation4 operation)
    {
        Assert.Equal(operation.Number, Body.UInt32());
        return Body.UInt32();
    }

    /// <summary>Skips a result that succeeded and has no body.</summary>
    public Results4 Skip(Operation4 operation)
    {
        Assert.Equal(0u, Next(operation));
        return this;
    }
}
