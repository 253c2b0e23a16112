using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// OPEN_CONFIRM, RFC 7530 section 16.18.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 OpenConfirm(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        uint seqid = arguments.ReadUInt32();
        Nfsstat4 status = FindState(context, ref stateid, out OpenState? open);
        if (status != Nfsstat4.Ok || !TryBeginInSequence(context, open!.Owner.Sequence, seqid, reply, out status))
            return status;
        status = Nfsstat4.ServerFault;
        try
        {
            status = _state.ConfirmOpen(open, stateid.Seqid, KeyOf(context.Current), out Stateid4 confirmed);
            return Answer(context, status, confirmed, reply);
        }
        finally
        {
            EndInSequence(context, open.Owner.Sequence, status, reply);
        }
    }
}
