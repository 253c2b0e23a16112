using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// GETXATTR, RFC 8276 section 8.4.1.
internal sealed partial class Nfs4Program
{
    private const int MaxXattrValue = 64 << 10;

    private static Nfsstat4 GetXattr(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ReadOnlySpan<byte> name = arguments.ReadOpaque();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsExtendedAttributes attributes)
            return Nfsstat4.NotSupp;
        Memory<byte> value = reply.ReserveOpaque(MaxXattrValue);
        NfsStatus status = attributes.GetExtendedAttribute(file.Caller, file.Handle, name, value.Span, out int length);
        if (status != NfsStatus.Ok)
            return XattrError(status);
        reply.CommitOpaque(length);
        return Nfsstat4.Ok;
    }

    private static Nfsstat4 XattrError(NfsStatus status) => status switch
    {
        NfsStatus.NoEnt => Nfsstat4.NoXattr,
        NfsStatus.FBig or NfsStatus.TooSmall => Nfsstat4.Xattr2Big,
        _ => Nfs4Errors.Of(status),
    };
}
