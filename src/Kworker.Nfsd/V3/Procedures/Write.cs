using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// WRITE, RFC 1813 section 3.3.7.

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
