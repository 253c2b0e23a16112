using Kworker.SunRpc;

namespace Kworker.Nfs3;

// ACCESS, RFC 1813 section 3.3.4.

/// <summary><c>ACCESS3args</c>.</summary>
[Xdr]
internal readonly partial record struct Access3Args(NfsFh3 Object, uint Access);

/// <summary><c>ACCESS3resok</c>.</summary>
[Xdr]
internal readonly partial record struct Access3ResOk(PostOpAttr ObjAttributes, uint Access);

/// <summary><c>ACCESS3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct Access3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Access3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<Access3Res>
{
    public static Access3Res Failure(Nfsstat3 status) => new(status);
}
