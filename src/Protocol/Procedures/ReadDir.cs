using Kworker.SunRpc;

namespace Kworker.Nfs3;

// READDIR, RFC 1813 section 3.3.16.

/// <summary><c>READDIR3args</c>.</summary>
[Xdr]
internal readonly partial record struct ReadDir3Args(NfsFh3 Dir, ulong Cookie, ulong Cookieverf, uint Count);

/// <summary>
/// <c>READDIR3res</c> of a failure; also that of READDIRPLUS. That of a success is written entry by entry by the server.
/// </summary>
[Xdr]
internal readonly partial record struct ReadDir3ResFail(Nfsstat3 Status, PostOpAttr DirAttributes) : INfs3Result<ReadDir3ResFail>
{
    public static ReadDir3ResFail Failure(Nfsstat3 status) => new(status, default);
}
