using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// OPEN_DOWNGRADE, RFC 7530 section 16.19, RFC 8881 section 18.18.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 OpenDowngrade(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        uint seqid = arguments.ReadUInt32();
        uint access = arguments.ReadUInt32();
        uint deny = arguments.ReadUInt32();
        Nfsstat4 status = FindState(context, ref stateid, out OpenState? open);
        if (status != Nfsstat4.Ok)
            return status;
        return RunInSequence(
            context, open!.Owner.Sequence, seqid, open, stateid.Seqid, (access, deny), reply,
            static (_, context, open, seqid, in share, reply) => Downgrade(context, open, seqid, share.access, share.deny, reply));
    }

    private static Nfsstat4 Downgrade(CompoundContext context, OpenState open, uint seqid, uint access, uint deny, XdrWriter reply)
    {
        if (!open.Owner.IsConfirmed)
            return Nfsstat4.BadStateid;
        if (access is 0 or > (uint)ShareAccess.Both || deny > (uint)ShareAccess.Both)
            return Nfsstat4.Inval;
        Nfsstat4 status = NfsState.Downgrade(open, seqid, KeyOf(context.Current), (ShareAccess)access, (ShareAccess)deny, out Stateid4 stateid);
        return Answer(context, status, stateid, reply);
    }
}
