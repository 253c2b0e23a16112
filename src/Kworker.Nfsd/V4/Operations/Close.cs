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
        return RunInSequence(
            context, open!.Owner.Sequence, seqid, open, stateid.Seqid, default(XdrVoid), reply,
            static (program, context, open, seqid, in _, reply) => program.Close(context, open, seqid, reply));
    }

    private Nfsstat4 Close(CompoundContext context, OpenState open, uint seqid, XdrWriter reply)
    {
        if (!open.Owner.IsConfirmed)
            return Nfsstat4.BadStateid;
        Nfsstat4 status = _state.Close(open, seqid, KeyOf(context.Current), out Stateid4 closed);
        return Answer(context, status, closed, reply);
    }
}
