using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SETXATTR, RFC 8276 section 8.4.2.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 SetXattr(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        uint how = arguments.ReadUInt32();
        ReadOnlySpan<byte> name = arguments.ReadOpaque();
        ReadOnlySpan<byte> value = arguments.ReadOpaque();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsExtendedAttributes attributes)
            return Nfsstat4.NotSupp;
        if (how > (uint)NfsExtendedAttributeMode.Replace)
            return Nfsstat4.BadXdr;
        if (file.CheckWritable() != NfsStatus.Ok)
            return Nfsstat4.RoFs;
        NfsStatus status = attributes.SetExtendedAttribute(
            file.Caller, file.Handle, name, value, (NfsExtendedAttributeMode)how, out NfsChange change);
        if (status != NfsStatus.Ok)
            return XattrError(status);
        ChangeAttribute.InfoOf(file.Complete(change)).Write(reply);
        return Nfsstat4.Ok;
    }
}
