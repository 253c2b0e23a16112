using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// PUTROOTFH, RFC 7530 section 16.22, RFC 8881 section 18.21.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 PutRootFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = context.Tree.GetRoot(context, out NfsObject root);
        if (status == Nfsstat4.Ok)
            context.SetCurrent(root);
        return status;
    }
}
