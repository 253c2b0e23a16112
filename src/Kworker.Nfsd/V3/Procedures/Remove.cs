using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// REMOVE, RFC 1813 section 3.3.12.

/// <summary><c>REMOVE3args</c>; also that of RMDIR.</summary>
[Xdr]
internal readonly partial record struct Remove3Args(DirOpArgs3 Object);

/// <summary><c>REMOVE3res</c>; also that of RMDIR.</summary>
[Xdr]
internal readonly partial record struct Remove3Res(Nfsstat3 Status, WccData DirWcc) : INfs3Result<Remove3Res>
{
    public static Remove3Res Failure(Nfsstat3 status) => new(status, default);
}

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
