using Kworker.SunRpc;

namespace Kworker.Nfs3;

// SETATTR, RFC 1813 section 3.3.2.

/// <summary><c>SETATTR3args</c>; the guard is <c>sattrguard3</c>, a ctime.</summary>
[Xdr]
internal readonly partial record struct SetAttr3Args(NfsFh3 Object, Sattr3 NewAttributes, NfsTime3? Guard);

/// <summary><c>SETATTR3res</c>.</summary>
[Xdr]
internal readonly partial record struct SetAttr3Res(Nfsstat3 Status, WccData ObjWcc) : INfs3Result<SetAttr3Res>
{
    public static SetAttr3Res Failure(Nfsstat3 status) => new(status, default);
}
