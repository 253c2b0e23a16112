using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// COMMIT, RFC 1813 section 3.3.21.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors CommitErrors { get; } = new(NfsStatus.Io);

    // A client that may only read has nothing to commit, but may ask: nothing is changed by it.
    private Commit3Res Commit(RpcCall call, in Commit3Args arguments)
    {
        ulong epoch = 0;
        NfsChange change = default;
        NfsStatus status = Open(call, arguments.File, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.FileSystem.Commit(file.Caller, file.Handle, arguments.Offset, arguments.Count, out epoch, out change);
        WccData wcc = WccOf(file, change);
        return status == NfsStatus.Ok
            ? new Commit3Res(Nfsstat3.Ok, new Commit3ResOk(wcc, _verifier.Of(epoch)))
            : new Commit3Res(CommitErrors.Of(status), Fail: wcc);
    }
}
