using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LINK, RFC 7530 section 16.9, RFC 8881 section 18.9: the saved file gets a name in the current directory.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 Link(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> name);
        if (!context.HasSaved)
            return Nfsstat4.NoFileHandle;
        NfsObject file = context.Saved, directory = context.Current;
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(directory.CheckWritable());
        if (status == Nfsstat4.Ok && file.Export != directory.Export)
            status = Nfsstat4.Xdev;
        if (status != Nfsstat4.Ok)
            return status;
        NfsStatus result = directory.FileSystem.Link(directory.Caller, file.Handle, directory.Handle, name, out _, out NfsChange change);
        if (result != NfsStatus.Ok)
            return DirectoryError(directory, result);
        ChangeAttribute.InfoOf(directory.Complete(change)).Write(reply);
        return Nfsstat4.Ok;
    }
}
