using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// DESTROY_SESSION, RFC 8881 section 18.37.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 DestroySession(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Sessionid4 id = Sessionid4.Read(ref arguments);
        // In its own session it must come last: nothing could be kept of what follows.
        bool isOwn = context.Slot is SessionSlot slot && slot.Session.Id == id;
        if (isOwn && context.OperationIndex < context.OperationCount - 1)
            return Nfsstat4.NotOnlyOp;
        return _state.DestroySession(id, isOwn);
    }
}
