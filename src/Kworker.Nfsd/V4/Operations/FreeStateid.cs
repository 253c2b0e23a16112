using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// FREE_STATEID, RFC 8881 section 18.38.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 FreeStateid(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        Nfsstat4 status = context.Resolve(ref stateid);
        return status == Nfsstat4.Ok ? _state.Free(context.Client!, stateid) : status;
    }
}
