using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// CLOSE, RFC 7530 section 16.2, RFC 8881 section 18.2.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Close(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        uint seqid = arguments.ReadUInt32();
        Stateid4 stateid = Stateid4.Read(ref arguments);
        // One that is closed, too: this may be the retry of the request that did it.
        Nfsstat4 status = FindState(context, ref stateid, out OpenState? open, orClosed: true);
        if (status != Nfsstat4.Ok)
            return status;
        if (context.MinorVersion > 0)
            return Close(context, open!, stateid.Seqid, reply);
        if (!TryBeginInSequence(context, open!.Owner.Sequence, seqid, reply, out status))
            return status;
        status = Nfsstat4.ServerFault;
        try
        {
            return status = Close(context, open, stateid.Seqid, reply);
        }
        finally
        {
            EndInSequence(context, open.Owner.Sequence, status, reply);
        }
    }

    private Nfsstat4 Close(CompoundContext context, OpenState open, uint seqid, XdrWriter reply)
    {
        if (!open.Owner.IsConfirmed)
            return Nfsstat4.BadStateid;
        Nfsstat4 status = _state.Close(open, seqid, KeyOf(context.Current), out Stateid4 closed);
        return Answer(context, status, closed, reply);
    }
}
