using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// RENEW, RFC 7530 section 16.28.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Renew(CompoundContext context, ref XdrReader arguments, XdrWriter reply) =>
        _state.Renew(arguments.ReadUInt64());
}
