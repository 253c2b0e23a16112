using Kworker.SunRpc;

namespace Kworker.Nfs3;

// READLINK, RFC 1813 section 3.3.5.

/// <summary><c>READLINK3args</c>.</summary>
[Xdr]
internal readonly partial record struct ReadLink3Args(NfsFh3 SymLink);

/// <summary><c>READLINK3res</c> of a failure. That of a success is written around the target, which is read into the reply.</summary>
[Xdr]
internal readonly partial record struct ReadLink3ResFail(Nfsstat3 Status, PostOpAttr SymlinkAttributes) : INfs3Result<ReadLink3ResFail>
{
    public static ReadLink3ResFail Failure(Nfsstat3 status) => new(status, default);
}
