using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// NVERIFY, RFC 7530 section 16.15, RFC 8881 section 18.15.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 NVerify(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Compare(context, ref arguments, reply);
        return status == Nfsstat4.NotSame ? Nfsstat4.Ok : status;
    }
}
