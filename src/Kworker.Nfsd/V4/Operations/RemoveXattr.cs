using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// REMOVEXATTR, RFC 8276 section 8.4.4.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 RemoveXattr(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ReadOnlySpan<byte> name = arguments.ReadOpaque();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsExtendedAttributes attributes)
            return Nfsstat4.NotSupp;
        if (file.CheckWritable() != NfsStatus.Ok)
            return Nfsstat4.RoFs;
        NfsStatus status = attributes.RemoveExtendedAttribute(file.Caller, file.Handle, name, out NfsChange change);
        if (status != NfsStatus.Ok)
            return XattrError(status);
        ChangeAttribute.InfoOf(file.Complete(change)).Write(reply);
        return Nfsstat4.Ok;
    }
}
