using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SETCLIENTID_CONFIRM, RFC 7530 section 16.34.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 SetClientidConfirm(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong id = arguments.ReadUInt64();
        ulong verifier = arguments.ReadUInt64();
        return _state.ConfirmClientId(id, verifier, Principal.Of(context.Call));
    }
}
