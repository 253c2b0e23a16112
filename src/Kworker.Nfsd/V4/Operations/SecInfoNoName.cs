using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SECINFO_NO_NAME, RFC 8881 section 18.45.
internal sealed partial class Nfs4Program
{
    private const uint CurrentFh = 0, ParentFh = 1;

    private Nfsstat4 SecInfoNoName(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        uint style = arguments.ReadUInt32();
        if (style > ParentFh)
            return Nfsstat4.BadXdr;
        Nfsstat4 status = style == CurrentFh ? Nfsstat4.Ok : FindParent(context, out _);
        return status == Nfsstat4.Ok ? WriteFlavors(context, reply) : status;
    }
}
