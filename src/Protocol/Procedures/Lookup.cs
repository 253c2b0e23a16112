using Kworker.SunRpc;

namespace Kworker.Nfs3;

// LOOKUP, RFC 1813 section 3.3.3.

/// <summary><c>LOOKUP3args</c>.</summary>
[Xdr]
internal readonly partial record struct Lookup3Args(DirOpArgs3 What);

/// <summary><c>LOOKUP3resok</c>.</summary>
[Xdr]
internal readonly partial record struct Lookup3ResOk(NfsFh3 Object, PostOpAttr ObjAttributes, PostOpAttr DirAttributes);

/// <summary><c>LOOKUP3res</c>; a failure carries the directory's attributes.</summary>
[XdrUnion]
internal readonly partial record struct Lookup3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Lookup3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<Lookup3Res>
{
    public static Lookup3Res Failure(Nfsstat3 status) => new(status);
}
