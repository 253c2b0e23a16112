using Kworker.SunRpc;

namespace Kworker.Nfs3;

// RENAME, RFC 1813 section 3.3.14.

/// <summary><c>RENAME3args</c>.</summary>
[Xdr]
internal readonly partial record struct Rename3Args(DirOpArgs3 From, DirOpArgs3 To);

/// <summary><c>RENAME3res</c>.</summary>
[Xdr]
internal readonly partial record struct Rename3Res(Nfsstat3 Status, WccData FromDirWcc, WccData ToDirWcc) : INfs3Result<Rename3Res>
{
    public static Rename3Res Failure(Nfsstat3 status) => new(status, default, default);
}
