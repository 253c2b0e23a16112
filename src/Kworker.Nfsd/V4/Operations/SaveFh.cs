using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SAVEFH, RFC 7530 section 16.30, RFC 8881 section 18.28.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 SaveFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        context.Save();
        return Nfsstat4.Ok;
    }
}
