using System.Net;
using System.Text;

namespace Kworker.Nfsd.Tests.Wire;

/// <summary>A client of 4.0 that has confirmed itself; the numbers of its owners' requests are the test's to say. Bytes of our own making.</summary>
internal sealed class Nfs40Client : IDisposable
{
    public const uint Open = 18, OpenConfirm = 20, OpenDowngrade = 21, Close = 4, Lock = 12, LockT = 13, LockU = 14, DelegReturn = 8;
    public const uint Renew = 30, SetClientid = 35, SetClientidConfirm = 36, ReleaseLockOwner = 39;
    public const uint ReadLock = 1, WriteLock = 2;

    public Nfs40Client(IPEndPoint server, string name)
    {
        Wire = new Nfs4Client(server).As(0, 0);
        (ClientId, ulong verifier) = Introduce(Wire, name);
        Assert.Equal(0u, Wire.Run(ConfirmOf(ClientId, verifier)).Status);
    }

    public Nfs4Client Wire { get; }

    public ulong ClientId { get; }

    /// <summary>SETCLIENTID: the id and the verifier that are to be confirmed.</summary>
    public static (ulong ClientId, ulong Verifier) Introduce(Nfs4Client over, string name, ulong verifier = 1)
    {
        (uint status, Reply4 reply) = over.Last(IntroductionOf(name, verifier));
        Assert.Equal(0u, status);
        (ulong, ulong) made = (reply.Body.U64(), reply.Body.U64());
        reply.Body.End();
        return made;
    }

    public static Op4 IntroductionOf(string name, ulong verifier = 1) => new(
        SetClientid,
        new XdrBytes().U64(verifier).Opaque(Encoding.ASCII.GetBytes(name)).U32(0x40000000).Opaque("tcp"u8).Opaque("127.0.0.1.3.255"u8).U32(7).ToArray());

    public static Op4 ConfirmOf(ulong client, ulong verifier) => new(SetClientidConfirm, new XdrBytes().U64(client).U64(verifier).ToArray());

    /// <summary>OPEN of a name, made if it is not there.</summary>
    public Op4 OpenOf(string owner, uint seqid, string name, uint access = 3, uint deny = 0) => new(
        Open,
        new XdrBytes().U32(seqid).U32(access).U32(deny).Raw(Owner(owner)).U32(1).U32(0).U32(0).U32(0).U32(0).Opaque(Encoding.ASCII.GetBytes(name)).ToArray());

    public static Op4 OpenConfirmOf(byte[] open, uint seqid) => new(OpenConfirm, new XdrBytes().Raw(open).U32(seqid).ToArray());

    public static Op4 OpenDowngradeOf(byte[] open, uint seqid, uint access, uint deny = 0) =>
        new(OpenDowngrade, new XdrBytes().Raw(open).U32(seqid).U32(access).U32(deny).ToArray());

    public static Op4 CloseOf(byte[] open, uint seqid) => new(Close, new XdrBytes().U32(seqid).Raw(open).ToArray());

    /// <summary>LOCK by an owner that an open introduces.</summary>
    public Op4 LockOf(byte[] open, uint openSeqid, string owner, uint lockSeqid, uint type, ulong offset, ulong length) => new(
        Lock,
        new XdrBytes().U32(type).U32(0).U64(offset).U64(length).U32(1).U32(openSeqid).Raw(open).U32(lockSeqid).Raw(Owner(owner)).ToArray());

    /// <summary>LOCK by an owner that has locks in the file.</summary>
    public static Op4 LockOf(byte[] locks, uint seqid, uint type, ulong offset, ulong length) =>
        new(Lock, new XdrBytes().U32(type).U32(0).U64(offset).U64(length).U32(0).Raw(locks).U32(seqid).ToArray());

    public Op4 LockTOf(string owner, uint type, ulong offset, ulong length) =>
        new(LockT, new XdrBytes().U32(type).U64(offset).U64(length).Raw(Owner(owner)).ToArray());

    public static Op4 LockUOf(byte[] locks, uint seqid, ulong offset, ulong length) =>
        new(LockU, new XdrBytes().U32(WriteLock).U32(seqid).Raw(locks).U64(offset).U64(length).ToArray());

    public Op4 ReleaseOf(string owner) => new(ReleaseLockOwner, Owner(owner));

    public static Op4 RenewOf(ulong client) => new(Renew, Op4.U64(client));

    /// <summary>Opens a file by an owner that is new, and confirms it: the owner's next number is then <paramref name="seqid"/> and two.</summary>
    public (byte[] Handle, byte[] Stateid) MustOpen(byte[] directory, string owner, uint seqid, string name, uint access = 3, uint deny = 0)
    {
        Reply4 reply = Wire.Run(Op4.PutFh(directory), OpenOf(owner, seqid, name, access, deny), Op4.GetFh);
        Assert.Equal(0u, reply.Status);
        (byte[] stateid, uint flags) = ReadOpen(reply.Skip(Op4.PutFh([])));
        Assert.Equal(2u, flags & 2); // OPEN4_RESULT_CONFIRM
        Assert.Equal(0u, reply.Next(Op4.GetFh));
        byte[] handle = reply.Body.Opaque();
        (uint status, reply) = Wire.Last(Op4.PutFh(handle), OpenConfirmOf(stateid, seqid + 1));
        Assert.Equal(0u, status);
        return (handle, Nfs41Client.Stateid(reply));
    }

    /// <summary>Reads the result of an OPEN that succeeded.</summary>
    public static (byte[] Stateid, uint Flags) ReadOpen(Reply4 reply)
    {
        Assert.Equal(0u, reply.Next(Open));
        byte[] stateid = Nfs41Client.Stateid(reply);
        reply.Body.Bool();
        reply.Body.U64();
        reply.Body.U64();
        uint flags = reply.Body.U32();
        for (uint words = reply.Body.U32(); words > 0; words--)
            reply.Body.U32();
        Assert.Equal(0u, reply.Body.U32()); // no delegation
        return (stateid, flags);
    }

    /// <summary>Runs an operation in a file that answers with a stateid if it succeeds.</summary>
    public (uint Status, byte[] Stateid) In(byte[] handle, Op4 operation)
    {
        (uint status, Reply4 reply) = Wire.Last(Op4.PutFh(handle), operation);
        return (status, status == 0 ? Nfs41Client.Stateid(reply) : []);
    }

    public void Dispose() => Wire.Dispose();

    private byte[] Owner(string name) => new XdrBytes().U64(ClientId).Opaque(Encoding.ASCII.GetBytes(name)).ToArray();
}
