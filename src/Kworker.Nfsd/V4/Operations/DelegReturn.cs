using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// DELEGRETURN, RFC 7530 section 16.8, RFC 8881 section 18.6.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 DelegReturn(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        Nfsstat4 status = FindState(context, ref stateid, out StateObject? _);
        // No delegation is given out, so that what a stateid names is something else: an open, or locks.
        return status == Nfsstat4.Ok ? Nfsstat4.BadStateid : status;
    }
}
