using Kworker.SunRpc;

namespace Kworker.Nfs3;

// LINK, RFC 1813 section 3.3.15.

/// <summary><c>LINK3args</c>.</summary>
[Xdr]
internal readonly partial record struct Link3Args(NfsFh3 File, DirOpArgs3 Link);

/// <summary><c>LINK3res</c>.</summary>
[Xdr]
internal readonly partial record struct Link3Res(Nfsstat3 Status, PostOpAttr FileAttributes, WccData LinkDirWcc) : INfs3Result<Link3Res>
{
    public static Link3Res Failure(Nfsstat3 status) => new(status, default, default);
}
