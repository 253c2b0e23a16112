using Kworker.SunRpc;

namespace Kworker.Nfs3;

// READ, RFC 1813 section 3.3.6.

/// <summary><c>READ3args</c>.</summary>
[Xdr]
internal readonly partial record struct Read3Args(NfsFh3 File, ulong Offset, uint Count);

/// <summary><c>READ3res</c> of a failure. That of a success is written around the data, which is read into the reply.</summary>
[Xdr]
internal readonly partial record struct Read3ResFail(Nfsstat3 Status, PostOpAttr FileAttributes) : INfs3Result<Read3ResFail>
{
    public static Read3ResFail Failure(Nfsstat3 status) => new(status, default);
}
