using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// REMOVE, RFC 1813 section 3.3.12.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors RemoveErrors { get; } = new(
        NfsStatus.NoEnt, NfsStatus.Io, NfsStatus.Acces, NfsStatus.NotDir, NfsStatus.NameTooLong, NfsStatus.RoFs);

    private Remove3Res Remove(RpcCall call, in Remove3Args arguments)
    {
        NfsChange change = default;
        ReadOnlyMemory<byte> name = arguments.Object.Name;
        NfsStatus status = OpenForChange(call, arguments.Object.Dir, name, NfsNameUse.Remove, out NfsObject directory);
        if (status == NfsStatus.Ok)
            status = directory.FileSystem.Remove(directory.Caller, directory.Handle, name.Span, out change);
        return new Remove3Res(RemoveErrors.Of(status), WccOf(directory, change));
    }
}
