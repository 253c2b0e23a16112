using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// GETFH, RFC 7530 section 16.8, RFC 8881 section 18.8.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 GetFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Span<byte> handle = stackalloc byte[FileHandleSeal.MaxSealedLength];
        reply.WriteOpaque(handle[.._exports.Seal(context.Current, context.Current.Handle, handle)]);
        return Nfsstat4.Ok;
    }
}
