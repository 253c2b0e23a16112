using Kworker.SunRpc;

namespace Kworker.Nfs3;

// CREATE, RFC 1813 section 3.3.8.

/// <summary><c>createmode3</c>. The same numbers as <c>NfsCreateMode</c> of the server's file systems.</summary>
[Xdr]
internal enum CreateMode3
{
    Unchecked = 0,
    Guarded = 1,
    Exclusive = 2,
}

/// <summary><c>createhow3</c>.</summary>
[XdrUnion]
internal readonly partial record struct CreateHow3(
    CreateMode3 Mode,
    [XdrCase(CreateMode3.Unchecked, CreateMode3.Guarded)] Sattr3 ObjAttributes = default,
    [XdrCase(CreateMode3.Exclusive)] ulong Verf = 0);

/// <summary><c>CREATE3args</c>.</summary>
[Xdr]
internal readonly partial record struct Create3Args(DirOpArgs3 Where, CreateHow3 How);

/// <summary><c>CREATE3resok</c>; also that of MKDIR, SYMLINK and MKNOD.</summary>
[Xdr]
internal readonly partial record struct Create3ResOk(PostOpFh3 Obj, PostOpAttr ObjAttributes, WccData DirWcc);

/// <summary><c>CREATE3res</c>; also that of MKDIR, SYMLINK and MKNOD. A failure carries the directory's attributes.</summary>
[XdrUnion]
internal readonly partial record struct Create3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Create3ResOk Ok = default, [XdrDefault] WccData Fail = default) : INfs3Result<Create3Res>
{
    public static Create3Res Failure(Nfsstat3 status) => new(status);
}
