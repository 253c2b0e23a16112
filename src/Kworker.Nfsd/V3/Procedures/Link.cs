using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// LINK, RFC 1813 section 3.3.15.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors LinkErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.Exist, NfsStatus.Xdev, NfsStatus.NotDir, NfsStatus.Inval, NfsStatus.NoSpc, NfsStatus.RoFs,
        NfsStatus.MLink, NfsStatus.NameTooLong, NfsStatus.DQuot, NfsStatus.NotSupp);

    private Link3Res Link(RpcCall call, in Link3Args arguments)
    {
        NfsAttributes? attributes = null;
        NfsChange change = default;
        DirOpArgs3 link = arguments.Link;
        NfsStatus status = Open(call, arguments.File, out NfsObject file);
        // Opened in any case: a failure carries the attributes of both.
        NfsStatus directoryStatus = OpenForChange(call, link.Dir, link.Name, NfsNameUse.Create, out NfsObject directory);
        if (status == NfsStatus.Ok)
            status = directoryStatus;
        if (status == NfsStatus.Ok && file.Export != directory.Export)
            status = NfsStatus.Xdev;
        if (status == NfsStatus.Ok)
        {
            status = directory.FileSystem.Link(
                directory.Caller, file.Handle, directory.Handle, link.Name.Span, out attributes, out change);
        }
        return new Link3Res(LinkErrors.Of(status), AttributesOf(file, attributes), WccOf(directory, change));
    }
}
