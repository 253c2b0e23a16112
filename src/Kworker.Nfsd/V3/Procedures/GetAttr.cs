using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// GETATTR, RFC 1813 section 3.3.1.

/// <summary><c>GETATTR3args</c>.</summary>
[Xdr]
internal readonly partial record struct GetAttr3Args(NfsFh3 Object);

/// <summary><c>GETATTR3res</c>.</summary>
[XdrUnion(DefaultVoid = true)]
internal readonly partial record struct GetAttr3Res(Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] Fattr3 ObjAttributes = default) : INfs3Result<GetAttr3Res>
{
    public static GetAttr3Res Failure(Nfsstat3 status) => new(status);
}

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
