using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// RESTOREFH, RFC 7530 section 16.29, RFC 8881 section 18.27.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 RestoreFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        if (!context.HasSaved)
            return context.MinorVersion == 0 ? Nfsstat4.RestoreFh : Nfsstat4.NoFileHandle;
        context.Restore();
        return Nfsstat4.Ok;
    }
}
