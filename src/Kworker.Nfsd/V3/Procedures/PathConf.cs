using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// PATHCONF, RFC 1813 section 3.3.20.

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
