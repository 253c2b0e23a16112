using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// READDIRPLUS, RFC 1813 section 3.3.17.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors ReadDirPlusErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.NotDir, NfsStatus.BadCookie, NfsStatus.TooSmall, NfsStatus.NotSupp);

    private void ReadDirPlus(RpcCall call, in ReadDirPlus3Args arguments, XdrWriter reply)
    {
        NfsStatus status = Open(call, arguments.Dir, out NfsObject directory);
        if (status != NfsStatus.Ok)
        {
            new ReadDir3ResFail(ReadDirPlusErrors.Of(status), default).Write(reply);
            return;
        }
        List(
            call, directory, arguments.Cookie, arguments.Cookieverf, arguments.Maxcount, arguments.Dircount, ReadDirPlusErrors, reply);
    }
}
