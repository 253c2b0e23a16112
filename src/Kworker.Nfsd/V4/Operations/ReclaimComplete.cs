using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// RECLAIM_COMPLETE, RFC 8881 section 18.51.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 ReclaimComplete(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        bool ofOneFileSystem = arguments.ReadBoolean();
        if (ofOneFileSystem && !context.HasCurrent)
            return Nfsstat4.NoFileHandle;
        return _state.CompleteReclaim(context.Client!, ofOneFileSystem);
    }
}
