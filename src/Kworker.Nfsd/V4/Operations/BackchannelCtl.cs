using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// BACKCHANNEL_CTL, RFC 8881 section 18.33.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 BackchannelCtl(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        uint program = arguments.ReadUInt32();
        if (ReadCallbackSecurity(ref arguments) is not { } credential)
            return Nfsstat4.Inval;
        ((SessionSlot)context.Slot!).Session.SetCallback(program, credential);
        return Nfsstat4.Ok;
    }
}
