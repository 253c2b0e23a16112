using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// RELEASE_LOCKOWNER, RFC 7530 section 16.37.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 ReleaseLockOwner(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        StateOwner4 owner = StateOwner4.Read(ref arguments);
        Nfsstat4 status = _state.Find(owner.Clientid, out NfsClient? client);
        return status == Nfsstat4.Ok ? _state.ReleaseLockOwner(client!, new OwnerName(owner.Owner)) : status;
    }
}
