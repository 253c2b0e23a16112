using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// PUTPUBFH, RFC 7530 section 16.21, RFC 8881 section 18.20: the public filehandle is the root, as in Linux.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 PutPubFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply) => PutRootFh(context, ref arguments, reply);
}
