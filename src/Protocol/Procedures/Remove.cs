using Kworker.SunRpc;

namespace Kworker.Nfs3;

// REMOVE, RFC 1813 section 3.3.12.

/// <summary><c>REMOVE3args</c>; also that of RMDIR.</summary>
[Xdr]
internal readonly partial record struct Remove3Args(DirOpArgs3 Object);

/// <summary><c>REMOVE3res</c>; also that of RMDIR.</summary>
[Xdr]
internal readonly partial record struct Remove3Res(Nfsstat3 Status, WccData DirWcc) : INfs3Result<Remove3Res>
{
    public static Remove3Res Failure(Nfsstat3 status) => new(status, default);
}
