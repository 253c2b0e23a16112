using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// WRITE, RFC 1813 section 3.3.7.

/// <summary><c>stable_how</c>. The same numbers as <see cref="NfsStability"/>.</summary>
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

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors WriteErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.FBig, NfsStatus.DQuot, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.Inval);

    private Write3Res Write(RpcCall call, in Write3Args arguments)
    {
        NfsWritten written = default;
        NfsChange change = default;
        NfsStatus status = Open(call, arguments.File, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.CheckWritable();
        if (status == NfsStatus.Ok && arguments.Count > arguments.Data.Length)
            status = NfsStatus.Inval;
        if (status == NfsStatus.Ok)
        {
            // More than FSINFO allows is cut: a short write, which the client goes on with.
            ReadOnlySpan<byte> data = arguments.Data.Span[..(int)Math.Min(arguments.Count, MaxTransferOf(call))];
            status = file.FileSystem.Write(
                file.Caller, file.Handle, arguments.Offset, data, (NfsStability)arguments.Stable, out written, out change);
        }
        WccData wcc = WccOf(file, change);
        if (status != NfsStatus.Ok)
            return new Write3Res(WriteErrors.Of(status), Fail: wcc);
        return new Write3Res(
            Nfsstat3.Ok, new Write3ResOk(wcc, (uint)written.Count, (StableHow)written.Committed, _verifier.Of(written.Epoch)));
    }
}
