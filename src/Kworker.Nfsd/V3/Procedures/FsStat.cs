using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// FSSTAT, RFC 1813 section 3.3.18.

/// <summary><c>FSSTAT3args</c>.</summary>
[Xdr]
internal readonly partial record struct FsStat3Args(NfsFh3 Fsroot);

/// <summary><c>FSSTAT3resok</c>.</summary>
[Xdr]
internal readonly partial record struct FsStat3ResOk(
    PostOpAttr ObjAttributes, ulong Tbytes, ulong Fbytes, ulong Abytes, ulong Tfiles, ulong Ffiles, ulong Afiles, uint Invarsec);

/// <summary><c>FSSTAT3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct FsStat3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] FsStat3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<FsStat3Res>
{
    public static FsStat3Res Failure(Nfsstat3 status) => new(status);
}

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
