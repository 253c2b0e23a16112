using System.Buffers;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LISTXATTRS, RFC 8276 section 8.4.3.
internal sealed partial class Nfs4Program
{
    private const int MaxXattrList = 64 << 10;

    /// <summary>A cookie is how many names have been given out: they have no other order that would stay.</summary>
    private static Nfsstat4 ListXattrs(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        ulong cookie = arguments.ReadUInt64();
        uint maxCount = arguments.ReadUInt32();
        NfsObject file = context.Current;
        if (file.FileSystem is not INfsExtendedAttributes attributes)
            return Nfsstat4.NotSupp;
        byte[] names = ArrayPool<byte>.Shared.Rent(MaxXattrList);
        try
        {
            NfsStatus status = attributes.ListExtendedAttributes(file.Caller, file.Handle, names.AsSpan(0, MaxXattrList), out int length);
            return status == NfsStatus.Ok
                ? WriteXattrNames(names.AsSpan(0, length), cookie, (int)Math.Min(maxCount, MaxXattrList), reply)
                : XattrError(status);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(names);
        }
    }

    private static Nfsstat4 WriteXattrNames(ReadOnlySpan<byte> names, ulong cookie, int maxCount, XdrWriter reply)
    {
        const int tail = sizeof(uint);
        int start = reply.Position;
        reply.WriteUInt64(0);
        reply.WriteUInt32(0);
        ulong at = 0;
        uint count = 0;
        while (!names.IsEmpty)
        {
            int size = names.IndexOf((byte)0);
            if (at++ >= cookie)
            {
                int before = reply.Position;
                reply.WriteOpaque(names[..size]);
                if (reply.Position - start + tail > maxCount)
                {
                    reply.Position = before;
                    at--;
                    break;
                }
                count++;
            }
            names = names[(size + 1)..];
        }
        if (cookie > at)
            return Nfsstat4.BadCookie;
        if (reply.Position - start + tail > maxCount || (count == 0 && !names.IsEmpty))
            return Nfsstat4.TooSmall;
        reply.WriteBoolean(names.IsEmpty);
        int end = reply.Position;
        reply.Position = start;
        reply.WriteUInt64(at);
        reply.WriteUInt32(count);
        reply.Position = end;
        return Nfsstat4.Ok;
    }
}
