using Kworker.SunRpc;

namespace Kworker.Nfs3;

// FSINFO, RFC 1813 section 3.3.19.

/// <summary><c>FSINFO3args</c>.</summary>
[Xdr]
internal readonly partial record struct FsInfo3Args(NfsFh3 Fsroot);

/// <summary><c>FSINFO3resok</c>.</summary>
[Xdr]
internal readonly partial record struct FsInfo3ResOk(
    PostOpAttr ObjAttributes, uint Rtmax, uint Rtpref, uint Rtmult, uint Wtmax, uint Wtpref, uint Wtmult, uint Dtpref, ulong Maxfilesize,
    NfsTime3 TimeDelta, uint Properties);

/// <summary><c>FSINFO3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct FsInfo3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] FsInfo3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<FsInfo3Res>
{
    public static FsInfo3Res Failure(Nfsstat3 status) => new(status);
}
