using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// SETATTR, RFC 1813 section 3.3.2.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors SetAttrErrors { get; } = new(
        NfsStatus.Perm, NfsStatus.Io, NfsStatus.Acces, NfsStatus.Inval, NfsStatus.NoSpc, NfsStatus.RoFs, NfsStatus.DQuot, NfsStatus.NotSync);

    private SetAttr3Res SetAttr(RpcCall call, in SetAttr3Args arguments)
    {
        NfsChange change = default;
        NfsStatus status = Open(call, arguments.Object, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.CheckWritable();
        if (status == NfsStatus.Ok)
        {
            status = arguments.NewAttributes.TryGetChanges(out NfsAttributeChanges changes)
                ? file.FileSystem.SetAttributes(file.Caller, file.Handle, changes, arguments.Guard?.ToTime(), out change)
                : NfsStatus.Inval;
        }
        return new SetAttr3Res(SetAttrErrors.Of(status), WccOf(file, change));
    }
}
