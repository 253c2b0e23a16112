using Kworker.Nfsd.FileSystem;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// GETATTR, RFC 7530 section 16.7, RFC 8881 section 18.7.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 GetAttr(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Bitmap4 asked = Bitmap4.Read(ref arguments);
        if (Fattr4.HasWriteOnly(asked))
            return Nfsstat4.Inval;
        NfsStatus status = GetValues(context, context.Current, asked, out Fattr4Values values);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        WriteAttributes(context, context.Current, context.Current.Handle, asked, values, Nfsstat4.Ok, reply);
        return Nfsstat4.Ok;
    }
}
