using Kworker.SunRpc;

namespace Kworker.Nfs3;

// WRITE, RFC 1813 section 3.3.7.

/// <summary><c>stable_how</c>. The same numbers as <c>NfsStability</c> of the server's file systems.</summary>
[Xdr]
internal enum StableHow
{
    Unstable = 0,
    DataSync = 1,
    FileSync = 2,
}

/// <summary><c>WRITE3args</c>. The data is a slice of the request.</summary>
[Xdr]
internal readonly partial record struct Write3Args(NfsFh3 File, ulong Offset, uint Count, StableHow Stable, ReadOnlyMemory<byte> Data);

/// <summary><c>WRITE3resok</c>.</summary>
[Xdr]
internal readonly partial record struct Write3ResOk(WccData FileWcc, uint Count, StableHow Committed, ulong Verf);

/// <summary><c>WRITE3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct Write3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Write3ResOk Ok = default, [XdrDefault] WccData Fail = default) : INfs3Result<Write3Res>
{
    public static Write3Res Failure(Nfsstat3 status) => new(status);
}
