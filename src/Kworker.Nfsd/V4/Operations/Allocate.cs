using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// ALLOCATE, RFC 7862 section 15.1.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Allocate(CompoundContext context, ref XdrReader arguments, XdrWriter reply) =>
        ChangeStorage(context, ref arguments, static (INfsSparseFiles files, in NfsObject file, ulong offset, ulong length, out NfsChange change) =>
            files.Allocate(file.Caller, file.Handle, offset, length, out change));

    private delegate NfsStatus StorageChange(INfsSparseFiles files, in NfsObject file, ulong offset, ulong length, out NfsChange change);

    private Nfsstat4 ChangeStorage(CompoundContext context, ref XdrReader arguments, StorageChange operation)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        ulong offset = arguments.ReadUInt64();
        ulong length = arguments.ReadUInt64();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsSparseFiles sparse)
            return Nfsstat4.NotSupp;
        if (length == 0 || offset > ulong.MaxValue - length)
            return Nfsstat4.Inval;
        Nfsstat4 status = Nfs4Errors.Of(file.CheckWritable());
        if (status == Nfsstat4.Ok)
            status = CheckStateid(context, stateid, StateidUse.Write);
        if (status != Nfsstat4.Ok)
            return status;
        NfsStatus result = operation(sparse, file, offset, length, out NfsChange change);
        return result == NfsStatus.Ok ? Nfsstat4.Ok : DataError(context, result, change.After);
    }
}
