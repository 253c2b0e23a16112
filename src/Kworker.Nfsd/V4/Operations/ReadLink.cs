using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// READLINK, RFC 7530 section 16.25, RFC 8881 section 18.24.
internal sealed partial class Nfs4Program
{
    private const int MaxLinkTarget = 4096;

    private static Nfsstat4 ReadLink(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        NfsObject link = context.Current;
        Memory<byte> target = reply.ReserveOpaque(MaxLinkTarget);
        NfsStatus status = link.FileSystem.ReadLink(link.Caller, link.Handle, target.Span, out int length, out NfsAttributes? given);
        if (status == NfsStatus.Ok)
        {
            reply.CommitOpaque(length);
            return Nfsstat4.Ok;
        }
        if (status == NfsStatus.Inval && context.MinorVersion > 0 && link.Complete(given) is not null)
            return Nfsstat4.WrongType;
        return Nfs4Errors.Of(status);
    }
}
