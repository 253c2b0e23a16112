using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LOOKUPP, RFC 7530 section 16.14, RFC 8881 section 18.14.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 LookupP(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = FindParent(context, out NfsObject found);
        if (status == Nfsstat4.Ok)
            context.SetCurrent(found);
        return status;
    }

    private static Nfsstat4 FindParent(CompoundContext context, out NfsObject found)
    {
        NfsObject current = context.Current;
        if (context.Tree.LookupParent(context, current, out found) is { } left)
            return left;
        NfsStatus status = current.FileSystem.Lookup(current.Caller, current.Handle, ".."u8, out NfsFile file, out _);
        if (status != NfsStatus.Ok)
            return DirectoryError(current, status);
        found = new NfsObject(current.Export, current.FileSystem, current.Options, current.Caller, file.Handle);
        return Nfsstat4.Ok;
    }
}
