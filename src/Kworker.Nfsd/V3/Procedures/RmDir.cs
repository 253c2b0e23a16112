using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// RMDIR, RFC 1813 section 3.3.13. Its arguments and results are REMOVE's.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors RmDirErrors { get; } = new(
        NfsStatus.NoEnt, NfsStatus.Io, NfsStatus.Acces, NfsStatus.Inval, NfsStatus.Exist, NfsStatus.NotDir, NfsStatus.NameTooLong,
        NfsStatus.RoFs, NfsStatus.NotEmpty, NfsStatus.NotSupp);

    private Remove3Res RmDir(RpcCall call, in Remove3Args arguments)
    {
        NfsChange change = default;
        ReadOnlyMemory<byte> name = arguments.Object.Name;
        NfsStatus status = OpenForChange(call, arguments.Object.Dir, name, NfsNameUse.RemoveDirectory, out NfsObject directory);
        if (status == NfsStatus.Ok)
            status = directory.FileSystem.RemoveDirectory(directory.Caller, directory.Handle, name.Span, out change);
        return new Remove3Res(RmDirErrors.Of(status), WccOf(directory, change));
    }
}
