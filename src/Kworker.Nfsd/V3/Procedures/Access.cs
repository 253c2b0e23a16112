using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// ACCESS, RFC 1813 section 3.3.4.

internal sealed partial class Nfs3Program
{
    private const NfsAccess ReadingAccess = NfsAccess.Read | NfsAccess.Lookup | NfsAccess.Execute;
    private const NfsAccess AllAccess = ReadingAccess | NfsAccess.Modify | NfsAccess.Extend | NfsAccess.Delete;

    internal static Nfs3Errors AccessErrors { get; } = new(NfsStatus.Io);

    private Access3Res Access(RpcCall call, in Access3Args arguments)
    {
        NfsAccess granted = default;
        NfsAttributes? attributes = null;
        NfsStatus status = Open(call, arguments.Object, out NfsObject file);
        if (status == NfsStatus.Ok)
        {
            NfsAccess requested = (NfsAccess)arguments.Access & (file.Options.IsReadOnly ? ReadingAccess : AllAccess);
            status = file.FileSystem.Access(file.Caller, file.Handle, requested, out granted, out attributes);
            granted &= requested;
        }
        PostOpAttr fileAttributes = AttributesOf(file, attributes);
        return status == NfsStatus.Ok
            ? new Access3Res(Nfsstat3.Ok, new Access3ResOk(fileAttributes, (uint)granted))
            : new Access3Res(AccessErrors.Of(status), Fail: fileAttributes);
    }
}
