using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// MKDIR, RFC 1813 section 3.3.9. Its results are CREATE's.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors MkDirErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.NotDir, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.NameTooLong,
        NfsStatus.DQuot, NfsStatus.NotSupp);

    private Create3Res MkDir(RpcCall call, in MkDir3Args arguments)
    {
        NfsFile file = default;
        NfsChange change = default;
        NfsAttributeChanges attributes = default;
        NfsStatus status = OpenForChange(call, arguments.Where.Dir, arguments.Where.Name, NfsNameUse.Create, out NfsObject directory);
        if (status == NfsStatus.Ok && !arguments.Attributes.TryGetChanges(out attributes))
            status = NfsStatus.Inval;
        if (status == NfsStatus.Ok)
        {
            status = directory.FileSystem.MakeDirectory(
                directory.Caller, directory.Handle, arguments.Where.Name.Span, attributes, out file, out change);
        }
        return Created(MkDirErrors, status, directory, file, change);
    }
}
