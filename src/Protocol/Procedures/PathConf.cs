using Kworker.SunRpc;

namespace Kworker.Nfs3;

// PATHCONF, RFC 1813 section 3.3.20.

/// <summary><c>PATHCONF3args</c>.</summary>
[Xdr]
internal readonly partial record struct PathConf3Args(NfsFh3 Object);

/// <summary><c>PATHCONF3resok</c>.</summary>
[Xdr]
internal readonly partial record struct PathConf3ResOk(
    PostOpAttr ObjAttributes, uint Linkmax, uint NameMax, bool NoTrunc, bool ChownRestricted, bool CaseInsensitive, bool CasePreserving);

/// <summary><c>PATHCONF3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct PathConf3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] PathConf3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<PathConf3Res>
{
    public static PathConf3Res Failure(Nfsstat3 status) => new(status);
}
