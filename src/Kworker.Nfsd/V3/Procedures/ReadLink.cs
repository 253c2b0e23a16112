using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// READLINK, RFC 1813 section 3.3.5.

internal sealed partial class Nfs3Program
{
    /// <summary>Longest target of a symbolic link, in bytes: Linux's PATH_MAX.</summary>
    private const int MaxLinkTarget = 4096;

    internal static Nfs3Errors ReadLinkErrors { get; } = new(NfsStatus.Io, NfsStatus.Inval, NfsStatus.Acces, NfsStatus.NotSupp);

    private void ReadLink(RpcCall call, in ReadLink3Args arguments, XdrWriter reply)
    {
        NfsStatus status = Open(call, arguments.SymLink, out NfsObject link);
        if (status != NfsStatus.Ok)
        {
            new ReadLink3ResFail(ReadLinkErrors.Of(status), default).Write(reply);
            return;
        }
        var head = new ReplyHead(reply, fixedSize: 0);
        Memory<byte> target = reply.ReserveOpaque(MaxLinkTarget);
        status = link.FileSystem.ReadLink(link.Caller, link.Handle, target.Span, out int length, out NfsAttributes? attributes);
        if (status == NfsStatus.Ok)
        {
            reply.CommitOpaque(length);
            head.Finish(AttributesOf(link, attributes), []);
            return;
        }
        head.TakeBack();
        new ReadLink3ResFail(ReadLinkErrors.Of(status), AttributesOf(link, attributes)).Write(reply);
    }
}
