using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// PUTFH, RFC 7530 section 16.20, RFC 8881 section 18.19.
internal sealed partial class Nfs4Program
{
    private const int MaxHandleLength = 128; // NFS4_FHSIZE

    private Nfsstat4 PutFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Open(context, arguments.ReadOpaque(MaxHandleLength), out NfsObject found);
        if (status == Nfsstat4.Ok)
            context.SetCurrent(found);
        return status;
    }
}
