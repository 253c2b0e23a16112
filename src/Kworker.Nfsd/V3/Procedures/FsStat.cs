using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// FSSTAT, RFC 1813 section 3.3.18.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors FsStatErrors { get; } = new(NfsStatus.Io);

    private FsStat3Res FsStat(RpcCall call, in FsStat3Args arguments)
    {
        NfsSpace space = default;
        NfsAttributes? attributes = null;
        NfsStatus status = Open(call, arguments.Fsroot, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.FileSystem.GetSpace(file.Caller, file.Handle, out space, out attributes);
        PostOpAttr fileAttributes = AttributesOf(file, attributes);
        if (status != NfsStatus.Ok)
            return new FsStat3Res(FsStatErrors.Of(status), Fail: fileAttributes);
        return new FsStat3Res(
            Nfsstat3.Ok,
            new FsStat3ResOk(
                fileAttributes, space.TotalBytes, space.FreeBytes, space.AvailableBytes, space.TotalFiles, space.FreeFiles,
                space.AvailableFiles, space.InvariantSeconds));
    }
}
