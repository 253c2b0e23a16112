using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LOOKUP, RFC 7530 section 16.13, RFC 8881 section 18.13.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Lookup(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Nfsstat4 status = Name4.Read(ref arguments, out ReadOnlySpan<byte> name);
        if (status != Nfsstat4.Ok)
            return status;
        status = Find(context, name, out NfsObject found, out _);
        if (status == Nfsstat4.Ok)
            context.SetCurrent(found);
        return status;
    }

    /// <summary>What a name stands for in the current directory: a file of its file system, or where another begins.</summary>
    private static Nfsstat4 Find(CompoundContext context, ReadOnlySpan<byte> name, out NfsObject found, out NfsAttributes? attributes)
    {
        attributes = null;
        if (context.Tree.TryGet(context.Current, out PseudoDirectory directory))
            return context.Tree.Lookup(context, directory, name, out found);
        if (context.Tree.LookupNested(context, context.Current, name, out found) is { } entered)
            return entered;
        NfsObject current = context.Current;
        NfsStatus status = current.FileSystem.Lookup(current.Caller, current.Handle, name, out NfsFile file, out _);
        if (status != NfsStatus.Ok)
            return DirectoryError(current, status);
        found = new NfsObject(current.Export, current.FileSystem, current.Options, current.Caller, file.Handle);
        attributes = file.Attributes;
        return Nfsstat4.Ok;
    }

    /// <summary>An error of an operation on a directory: if it is none, a symbolic link is told apart (RFC 7530 section 16.13.4).</summary>
    private static Nfsstat4 DirectoryError(in NfsObject directory, NfsStatus status)
    {
        if (status != NfsStatus.NotDir)
            return Nfs4Errors.Of(status);
        return directory.Complete(default(NfsAttributes?)) is { Type: NfsFileType.SymbolicLink } ? Nfsstat4.Symlink : Nfsstat4.NotDir;
    }
}
