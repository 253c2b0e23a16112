using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// SYMLINK, RFC 1813 section 3.3.10. Its results are CREATE's.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors SymLinkErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.NotDir, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.NameTooLong,
        NfsStatus.DQuot, NfsStatus.NotSupp);

    private Create3Res SymLink(RpcCall call, in SymLink3Args arguments)
    {
        NfsFile file = default;
        NfsChange change = default;
        NfsAttributeChanges attributes = default;
        NfsStatus status = OpenForChange(call, arguments.Where.Dir, arguments.Where.Name, NfsNameUse.Create, out NfsObject directory);
        if (status == NfsStatus.Ok && !arguments.Symlink.SymlinkAttributes.TryGetChanges(out attributes))
            status = NfsStatus.Inval;
        ReadOnlySpan<byte> target = arguments.Symlink.Data.Span;
        if (status == NfsStatus.Ok)
            status = CheckTarget(target);
        if (status == NfsStatus.Ok)
        {
            status = directory.FileSystem.MakeSymbolicLink(
                directory.Caller, directory.Handle, arguments.Where.Name.Span, target, attributes, out file, out change);
        }
        return Created(SymLinkErrors, status, directory, file, change);
    }

    // What no path can be is refused as section 3.2 has it for names.
    private static NfsStatus CheckTarget(ReadOnlySpan<byte> target)
    {
        if (target.IsEmpty || target.Contains((byte)0))
            return NfsStatus.Acces;
        return target.Length >= MaxLinkTarget ? NfsStatus.NameTooLong : NfsStatus.Ok;
    }
}
