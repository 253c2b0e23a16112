using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// PATHCONF, RFC 1813 section 3.3.20.

/// <summary><c>PATHCONF3args</c>.</summary>
[Xdr]
internal readonly partial record struct PathConf3Args(NfsFh3 Object);

/// <summary><c>PATHCONF3resok</c>.</summary>
[Xdr]
internal readonly partial record struct PathConf3ResOk(
    PostOpAttr ObjAttributes, uint Linkmax, uint NameMax, bool NoTrunc, bool ChownRestricted, bool CaseInsensitive, bool CasePreserving);

/// <summary><c>PATHCONF3res</c>.</summary>
[XdrUnion]
internal readonly partial record struct PathConf3Res(
    Nfsstat3 Status, [XdrCase(Nfsstat3.Ok)] PathConf3ResOk Ok = default, [XdrDefault] PostOpAttr Fail = default) : INfs3Result<PathConf3Res>
{
    public static PathConf3Res Failure(Nfsstat3 status) => new(status);
}

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors PathConfErrors { get; } = new();

    private PathConf3Res PathConf(RpcCall call, in PathConf3Args arguments)
    {
        NfsPathLimits limits = default;
        NfsAttributes? attributes = null;
        NfsStatus status = Open(call, arguments.Object, out NfsObject file);
        if (status == NfsStatus.Ok)
            status = file.FileSystem.GetPathLimits(file.Caller, file.Handle, out limits, out attributes);
        PostOpAttr fileAttributes = AttributesOf(file, attributes);
        if (status != NfsStatus.Ok)
            return new PathConf3Res(PathConfErrors.Of(status), Fail: fileAttributes);
        return new PathConf3Res(
            Nfsstat3.Ok,
            new PathConf3ResOk(
                fileAttributes, limits.MaxLinks, Math.Min(limits.MaxNameLength, MaxNameLength), limits.NoTruncation,
                limits.ChownRestricted, limits.CaseInsensitive, limits.CasePreserving));
    }
}
