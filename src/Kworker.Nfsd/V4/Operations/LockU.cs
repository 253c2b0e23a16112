using Kworker.Lockd.Locks;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LOCKU, RFC 7530 section 16.12, RFC 8881 section 18.12.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 LockU(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        arguments.ReadUInt32(); // the lock's type, which does not matter
        uint seqid = arguments.ReadUInt32();
        Stateid4 stateid = Stateid4.Read(ref arguments);
        ulong offset = arguments.ReadUInt64();
        ulong length = arguments.ReadUInt64();
        Nfsstat4 status = FindState(context, ref stateid, out LockState? locks);
        if (status != Nfsstat4.Ok)
            return status;
        return RunInSequence(
            context, locks!.Owner.Sequence, seqid, locks, stateid.Seqid, (offset, length), reply,
            static (program, context, locks, seqid, in range, reply) => program.Unlock(context, locks, seqid, range.offset, range.length, reply));
    }

    private Nfsstat4 Unlock(CompoundContext context, LockState locks, uint seqid, ulong offset, ulong length, XdrWriter reply)
    {
        if (!TryGetRange(offset, length, out LockRange range, out Nfsstat4 status))
            return status;
        status = _state.Unlock(locks, seqid, KeyOf(context.Current), range, out Stateid4 stateid);
        return Answer(context, status, stateid, reply);
    }
}
