using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SETATTR, RFC 7530 section 16.32, RFC 8881 section 18.30.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 SetAttr(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        Nfsstat4 status = Fattr4Changes.Read(ref arguments, context.MinorVersion, out Fattr4Changes given);
        NfsObject file = context.Current;
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(file.CheckWritable());
        // The stateid says something about the data, and about nothing else (RFC 7530 section 16.32.4).
        if (status == Nfsstat4.Ok && given.Changes.Size is not null)
            status = CheckStateid(context, stateid, StateidUse.SetSize);
        if (status == Nfsstat4.Ok)
            status = Set(context, file, given);
        if (status != Nfsstat4.Ok)
            return status;
        given.Given.Write(reply);
        return Nfsstat4.Ok;
    }

    private static Nfsstat4 Set(CompoundContext context, in NfsObject file, in Fattr4Changes given)
    {
        NfsAttributeChanges changes = given.Changes;
        if (given.Given.Has(Fattr4Id.Acl) && !given.Given.Has(Fattr4Id.Mode))
        {
            // An acl says nothing of the set-uid, set-gid and sticky bits.
            NfsStatus known = file.FileSystem.GetAttributes(file.Caller, file.Handle, out NfsAttributes now);
            if (known != NfsStatus.Ok)
                return Nfs4Errors.Of(known);
            changes.Mode |= now.Mode & 0xe00;
        }
        NfsStatus status = file.FileSystem.SetAttributes(file.Caller, file.Handle, changes, guard: null, out NfsChange change);
        if (status == NfsStatus.NotSupp && changes.Mode is not null && file.Complete(change.After) is { Type: NfsFileType.SymbolicLink })
        {
            // A symbolic link's mode means nothing, and Linux cannot set it: it is passed over, as in Linux's nfsd.
            changes.Mode = null;
            status = file.FileSystem.SetAttributes(file.Caller, file.Handle, changes, guard: null, out change);
        }
        return changes.Size is null ? Nfs4Errors.Of(status) : DataError(context, status, change.After);
    }
}
