using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// CREATE, RFC 7530 section 16.4, RFC 8881 section 18.4: everything but regular files.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Create(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        uint type = arguments.ReadUInt32();
        ReadOnlySpan<byte> target = default;
        uint major = 0, minor = 0;
        if (type == (uint)NfsFileType.SymbolicLink)
        {
            target = arguments.ReadOpaque();
        }
        else if (type is (uint)NfsFileType.BlockDevice or (uint)NfsFileType.CharacterDevice)
        {
            major = arguments.ReadUInt32();
            minor = arguments.ReadUInt32();
        }
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> name);
        Nfsstat4 attributesStatus = Fattr4Changes.Read(ref arguments, context.MinorVersion, out Fattr4Changes given);
        NfsObject directory = context.Current;
        if (type is (uint)NfsFileType.None or (uint)NfsFileType.Regular or > (uint)NfsFileType.NamedPipe)
            return Nfsstat4.BadType;
        if (status == Nfsstat4.Ok)
            status = attributesStatus;
        if (status == Nfsstat4.Ok)
            status = Nfs4Errors.Of(directory.CheckWritable());
        if (status == Nfsstat4.Ok && type == (uint)NfsFileType.SymbolicLink && target.IsEmpty)
            status = Nfsstat4.Inval;
        if (status != Nfsstat4.Ok)
            return status;

        NfsFile made;
        NfsChange change;
        NfsStatus result = (NfsFileType)type switch
        {
            NfsFileType.Directory => directory.FileSystem.MakeDirectory(
                directory.Caller, directory.Handle, name, given.Changes, out made, out change),
            NfsFileType.SymbolicLink => directory.FileSystem.MakeSymbolicLink(
                directory.Caller, directory.Handle, name, target, given.Changes, out made, out change),
            _ => directory.FileSystem.MakeSpecial(
                directory.Caller, directory.Handle, name, new NfsSpecialFile((NfsFileType)type, given.Changes, major, minor), out made, out change),
        };
        if (result != NfsStatus.Ok)
            return DirectoryError(directory, result);
        context.SetCurrent(made.Handle);
        ChangeAttribute.InfoOf(directory.Complete(change)).Write(reply);
        given.Given.Write(reply);
        return Nfsstat4.Ok;
    }
}
