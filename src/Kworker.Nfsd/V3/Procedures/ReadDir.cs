using System.Buffers.Binary;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// READDIR, RFC 1813 section 3.3.16.

internal sealed partial class Nfs3Program
{
    internal static Nfs3Errors ReadDirErrors { get; } = new(
        NfsStatus.Io, NfsStatus.Acces, NfsStatus.NotDir, NfsStatus.BadCookie, NfsStatus.TooSmall);

    private void ReadDir(RpcCall call, in ReadDir3Args arguments, XdrWriter reply)
    {
        NfsStatus status = Open(call, arguments.Dir, out NfsObject directory);
        if (status != NfsStatus.Ok)
            new ReadDir3ResFail(ReadDirErrors.Of(status), default).Write(reply);
        else
            List(call, directory, arguments.Cookie, arguments.Cookieverf, arguments.Count, nameLimit: null, ReadDirErrors, reply);
    }

    /// <summary>READDIR, and READDIRPLUS if <paramref name="nameLimit"/> is given.</summary>
    private void List(
        RpcCall call, in NfsObject directory, ulong cookie, ulong verifier, uint limit, uint? nameLimit, Nfs3Errors errors, XdrWriter reply)
    {
        // The limits are those of the results without the status; a datagram has its own.
        uint room = (uint)Math.Min(reply.Available - sizeof(uint), MaxTransferOf(call));
        limit = Math.Min(limit, room);
        NfsStatus status = NfsStatus.TooSmall;
        NfsDirectoryRead read = default;
        if (limit >= DirListReply.SmallestSize)
        {
            var head = new ReplyHead(reply, sizeof(ulong));
            var list = new DirListReply(this, directory, reply, (int)limit, nameLimit);
            status = directory.FileSystem.ReadDirectory(
                directory.Caller, directory.Handle, cookie, verifier, nameLimit is not null, list, out read);
            if (status == NfsStatus.Ok)
                status = list.Finish(read.IsEnd);
            if (status == NfsStatus.Ok)
            {
                Span<byte> fixedPart = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64BigEndian(fixedPart, read.Verifier);
                head.Finish(AttributesOf(directory, read.Directory), fixedPart);
                return;
            }
            head.TakeBack();
        }
        new ReadDir3ResFail(errors.Of(status), AttributesOf(directory, read.Directory)).Write(reply);
    }
}
