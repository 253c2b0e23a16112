using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// RENAME, RFC 7530 section 16.27, RFC 8881 section 18.26: from the saved directory to the current one.
internal sealed partial class Nfs4Program
{
    private static Nfsstat4 Rename(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> fromName);
        Nfsstat4 toStatus = Name4.Read(ref arguments, out ReadOnlySpan<byte> toName);
        if (!context.HasSaved)
            return Nfsstat4.NoFileHandle;
        NfsObject from = context.Saved, to = context.Current;
        if (status == Nfsstat4.Ok)
            status = toStatus;
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(from.CheckWritable());
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(to.CheckWritable());
        if (status == Nfsstat4.Ok && from.Export != to.Export)
            status = Nfsstat4.Xdev;
        if (status != Nfsstat4.Ok)
            return status;
        NfsStatus result = from.FileSystem.Rename(
            from.Caller, from.Handle, fromName, to.Handle, toName, out NfsChange fromChange, out NfsChange toChange);
        if (result != NfsStatus.Ok)
            return RenameError(from, to, result);
        ChangeAttribute.InfoOf(from.Complete(fromChange)).Write(reply);
        ChangeAttribute.InfoOf(to.Complete(toChange)).Write(reply);
        return Nfsstat4.Ok;
    }

    /// <summary>A directory onto a file or the other way round is EXIST (RFC 7530 section 16.27.4); NOTDIR is left for those that are to hold the names.</summary>
    private static Nfsstat4 RenameError(in NfsObject from, in NfsObject to, NfsStatus status)
    {
        if (status == NfsStatus.IsDir)
            return Nfsstat4.Exist;
        if (status != NfsStatus.NotDir)
            return Nfs4Errors.Of(status);
        if (from.Complete(default(NfsAttributes?)) is not { Type: NfsFileType.Directory })
            return DirectoryError(from, status);
        return to.Complete(default(NfsAttributes?)) is not { Type: NfsFileType.Directory } ? DirectoryError(to, status) : Nfsstat4.Exist;
    }
}
