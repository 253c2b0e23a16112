using Kworker.SunRpc;

namespace Kworker.Nfs3;

// COMMIT, RFC 1813 section 3.3.21.

/// <summary><c>COMMIT3args</c>.</summary>
[Xdr]
internal readonly partial record struct Commit3Args(NfsFh3 File, ulong Offset, uint Count);

/// <summary><c>COMMIT3resok</c>.</summary>
[Xdr]
internal readonly partial record struct Commit3ResOk(WccData FileWcc, ulong Verf);

/// <summary><c>COMMIT3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct Commit3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Commit3ResOk Ok = default, [XdrDefault] WccData Fail = default) : INfs3Result<Commit3Res>
{
    public static Commit3Res Failure(Nfsstat3 status) => new(status);
}
