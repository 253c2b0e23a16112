using System.Buffers.Binary;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V3;

// READ, RFC 1813 section 3.3.6.

internal sealed partial class Nfs3Program
{
    private const int ReadFixedSize = sizeof(uint) + sizeof(uint); // count and eof

    internal static Nfs3Errors ReadErrors { get; } = new(NfsStatus.Io, NfsStatus.Nxio, NfsStatus.Acces, NfsStatus.Inval);

    private void Read(RpcCall call, in Read3Args arguments, XdrWriter reply)
    {
        NfsStatus status = Open(call, arguments.File, out NfsObject file);
        if (status != NfsStatus.Ok)
        {
            new Read3ResFail(ReadErrors.Of(status), default).Write(reply);
            return;
        }
        // Offsets past 2^63, which file systems count with a sign, are past every file: there is nothing, and that is the end.
        ulong offset = Math.Min(arguments.Offset, long.MaxValue);
        int size = (int)Math.Min(Math.Min(arguments.Count, MaxTransferOf(call)), long.MaxValue - offset);
        var head = new ReplyHead(reply, ReadFixedSize);
        Memory<byte> data = reply.ReserveOpaque(size);
        status = file.FileSystem.Read(
            file.Caller, file.Handle, offset, data.Span, out int count, out bool isEnd, out NfsAttributes? attributes);
        if (status == NfsStatus.Ok)
        {
            reply.CommitOpaque(count);
            Span<byte> fixedPart = stackalloc byte[ReadFixedSize];
            BinaryPrimitives.WriteInt32BigEndian(fixedPart, count);
            BinaryPrimitives.WriteInt32BigEndian(fixedPart[sizeof(uint)..], isEnd ? 1 : 0);
            head.Finish(AttributesOf(file, attributes), fixedPart);
            return;
        }
        head.TakeBack();
        new Read3ResFail(ReadErrors.Of(status), AttributesOf(file, attributes)).Write(reply);
    }
}
