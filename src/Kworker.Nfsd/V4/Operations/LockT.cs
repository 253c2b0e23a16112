using Kworker.Lockd.Locks;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LOCKT, RFC 7530 section 16.11, RFC 8881 section 18.11.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 LockT(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        var type = (LockType4)arguments.ReadUInt32();
        ulong offset = arguments.ReadUInt64();
        ulong length = arguments.ReadUInt64();
        StateOwner4 owner = StateOwner4.Read(ref arguments);
        if (type is < LockType4.Read or > LockType4.WriteWait)
            return Nfsstat4.BadXdr;
        if (!TryGetRange(offset, length, out LockRange range, out Nfsstat4 status))
            return status;
        status = FindClient(context, owner.Clientid, out NfsClient? client);
        if (status == Nfsstat4.Ok)
            status = CheckLockable(context);
        if (status != Nfsstat4.Ok)
            return status;
        status = _state.TestLock(client!, new OwnerName(owner.Owner), KeyOf(context.Current), KindOf(type), range, out LockConflict conflict);
        if (status == Nfsstat4.Denied)
            WriteDenied(context, conflict, reply);
        return status;
    }
}
