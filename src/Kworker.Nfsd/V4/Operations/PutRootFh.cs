using Kworker.Nfsd.Exports;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// PUTROOTFH, RFC 7530 section 16.22, RFC 8881 section 18.21.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 PutRootFh(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Export export = _exports.Exports[0];
        if (export.Match(context.Call.RemoteEndPoint.Address) is not { } options)
            return Nfsstat4.Access;
        NfsStatus status = _exports.FileSystemOf(export).GetRoot(out NfsHandle root);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        context.SetCurrent(new NfsObject(export, _exports.FileSystemOf(export), options, context.CallerUnder(options), root));
        return Nfsstat4.Ok;
    }
}
