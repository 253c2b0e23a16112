using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// GETATTR, RFC 1813 section 3.3.1.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors GetAttrErrors { get; } = new(NfsStatus.Io);

    private GetAttr3Res GetAttr(RpcCall call, in GetAttr3Args arguments)
    {
        NfsStatus status = Open(call, arguments.Object, out NfsObject file);
        NfsAttributes attributes = default;
        if (status == NfsStatus.Ok)
            status = file.FileSystem.GetAttributes(file.Caller, file.Handle, out attributes);
        return status == NfsStatus.Ok
            ? new GetAttr3Res(Nfsstat3.Ok, Fattr3.From(attributes))
            : new GetAttr3Res(GetAttrErrors.Of(status));
    }
}
