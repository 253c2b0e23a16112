using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// COMMIT, RFC 7530 section 16.3, RFC 8881 section 18.3.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Commit(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong offset = arguments.ReadUInt64();
        uint count = arguments.ReadUInt32();
        if (offset > ulong.MaxValue - count)
            return Nfsstat4.Inval;
        NfsObject file = context.Current;
        if (file.CheckWritable() != NfsStatus.Ok)
            return Nfsstat4.RoFs;
        NfsStatus status = file.FileSystem.Commit(file.Caller, file.Handle, offset, count, out ulong epoch, out NfsChange change);
        if (status != NfsStatus.Ok)
            return DataError(context, status, change.After);
        reply.WriteUInt64(_verifier.Of(epoch));
        return Nfsstat4.Ok;
    }
}
