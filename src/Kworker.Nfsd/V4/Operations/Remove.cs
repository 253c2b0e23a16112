using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// REMOVE, RFC 7530 section 16.26, RFC 8881 section 18.25: files and directories alike.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 Remove(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> name);
        NfsObject directory = context.Current;
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(directory.CheckWritable());
        if (status != Nfsstat4.Ok)
            return status;
        NfsStatus result = directory.FileSystem.Remove(directory.Caller, directory.Handle, name, out NfsChange change);
        if (result == NfsStatus.IsDir)
            result = directory.FileSystem.RemoveDirectory(directory.Caller, directory.Handle, name, out change);
        if (result != NfsStatus.Ok)
            return DirectoryError(directory, result);
        ChangeAttribute.InfoOf(directory.Complete(change)).Write(reply);
        return Nfsstat4.Ok;
    }
}
