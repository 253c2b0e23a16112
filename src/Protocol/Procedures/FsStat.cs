using Kworker.SunRpc;

namespace Kworker.Nfs3;

// FSSTAT, RFC 1813 section 3.3.18.

/// <summary><c>FSSTAT3args</c>.</summary>
[Xdr]
internal readonly partial record struct FsStat3Args(NfsFh3 Fsroot);

/// <summary><c>FSSTAT3resok</c>.</summary>
[Xdr]
internal readonly partial record struct FsStat3ResOk(
    PostOpAttr ObjAttributes, ulong Tbytes, ulong Fbytes, ulong Abytes, ulong Tfiles, ulong Ffiles, ulong Afiles, uint Invarsec);

/// <summary><c>FSSTAT3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct FsStat3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] FsStat3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<FsStat3Res>
{
    public static FsStat3Res Failure(Nfsstat3 status) => new(status);
}
