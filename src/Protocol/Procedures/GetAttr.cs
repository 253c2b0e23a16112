using Kworker.SunRpc;

namespace Kworker.Nfs3;

// GETATTR, RFC 1813 section 3.3.1.

/// <summary><c>GETATTR3args</c>.</summary>
[Xdr]
internal readonly partial record struct GetAttr3Args(NfsFh3 Object);

/// <summary><c>GETATTR3res</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct GetAttr3Res(Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Fattr3 ObjAttributes = default) : INfs3Result<GetAttr3Res>
{
    public static GetAttr3Res Failure(Nfsstat3 status) => new(status);
}
