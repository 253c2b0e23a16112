using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// DESTROY_CLIENTID, RFC 8881 section 18.50.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 DestroyClientid(CompoundContext context, ref XdrReader arguments, XdrWriter reply) =>
        _state.DestroyClientId(arguments.ReadUInt64());
}
