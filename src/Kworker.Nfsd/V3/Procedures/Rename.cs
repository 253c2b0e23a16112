using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// RENAME, RFC 1813 section 3.3.14.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors RenameErrors { get; } = new(
        NfsStatus.NoEnt, NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.Xdev, NfsStatus.NotDir, NfsStatus.IsDir, NfsStatus.Inval,
        NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.MLink, NfsStatus.NameTooLong, NfsStatus.NotEmpty, NfsStatus.DQuot, NfsStatus.NotSupp);

    private Rename3Res Rename(RpcCall call, in Rename3Args arguments)
    {
        NfsChange fromChange = default;
        NfsChange toChange = default;
        DirOpArgs3 from = arguments.From;
        DirOpArgs3 to = arguments.To;
        NfsStatus status = OpenForChange(call, from.Dir, from.Name, NfsNameUse.Remove, out NfsObject fromDirectory);
        // Opened in any case: a failure carries the attributes of both.
        NfsStatus toStatus = OpenForChange(call, to.Dir, to.Name, NfsNameUse.Remove, out NfsObject toDirectory);
        if (status == NfsStatus.Ok)
            status = toStatus;
        if (status == NfsStatus.Ok && fromDirectory.Export != toDirectory.Export)
            status = NfsStatus.Xdev;
        if (status == NfsStatus.Ok)
        {
            status = fromDirectory.FileSystem.Rename(
                fromDirectory.Caller, fromDirectory.Handle, from.Name.Span, toDirectory.Handle, to.Name.Span, out fromChange, out toChange);
        }
        return new Rename3Res(RenameErrors.Of(status), WccOf(fromDirectory, fromChange), WccOf(toDirectory, toChange));
    }
}
