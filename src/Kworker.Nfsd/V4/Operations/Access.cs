using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// ACCESS, RFC 7530 section 16.1, RFC 8881 section 18.1.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 Access(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        const NfsAccess all = NfsAccess.Read | NfsAccess.Lookup | NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete | NfsAccess.Execute;
        const NfsAccess changing = NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete;
        var requested = (NfsAccess)arguments.ReadUInt32();
        if ((requested & ~all) != 0)
            return Nfsstat4.Inval;
        NfsObject file = context.Current;
        NfsStatus status = file.FileSystem.Access(file.Caller, file.Handle, requested, out NfsAccess granted, out NfsAttributes? given);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        NfsAccess supported = file.Complete(given) is { Type: NfsFileType.Directory } ? all & ~NfsAccess.Execute : all & ~(NfsAccess.Lookup | NfsAccess.Delete);
        if (file.CheckWritable() != NfsStatus.Ok)
            granted &= ~changing;
        reply.WriteUInt32((uint)(requested & supported));
        reply.WriteUInt32((uint)(granted & supported));
        return Nfsstat4.Ok;
    }
}
