using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SEEK, RFC 7862 section 15.11.
internal sealed partial class Nfs4Program
{
    private const uint ContentData = 0, ContentHole = 1;

    private Nfsstat4 Seek(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        ulong offset = arguments.ReadUInt64();
        uint what = arguments.ReadUInt32();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsSparseFiles sparse)
            return Nfsstat4.NotSupp;
        if (what is not (ContentData or ContentHole))
            return Nfsstat4.UnionNotSupp;
        Nfsstat4 status = CheckStateid(context, stateid, StateidUse.Read);
        if (status != Nfsstat4.Ok)
            return status;
        NfsStatus result = sparse.Seek(file.Caller, file.Handle, offset, what == ContentHole, out ulong found, out bool isEnd);
        if (result != NfsStatus.Ok)
            return DataError(context, result);
        reply.WriteBoolean(isEnd);
        reply.WriteUInt64(found);
        return Nfsstat4.Ok;
    }
}
