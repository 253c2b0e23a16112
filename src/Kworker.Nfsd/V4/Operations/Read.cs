using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// READ, RFC 7530 section 16.23, RFC 8881 section 18.22.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Read(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        ulong wantedOffset = arguments.ReadUInt64();
        uint wanted = arguments.ReadUInt32();
        Nfsstat4 allowed = CheckStateid(context, stateid, StateidUse.Read);
        if (allowed != Nfsstat4.Ok)
            return allowed;

        // Offsets past 2^63, which file systems count with a sign, are past every file: there is nothing, and that is the end.
        ulong offset = Math.Min(wantedOffset, long.MaxValue);
        int room = reply.Available - Slack - 3 * sizeof(uint);
        int size = (int)Math.Min(Math.Min(wanted, _maxTransfer), Math.Min((ulong)Math.Max(room, 0), long.MaxValue - offset));
        NfsObject file = context.Current;
        int start = reply.Position;
        reply.WriteBoolean(false);
        Memory<byte> data = reply.ReserveOpaque(size);
        NfsStatus status = file.FileSystem.Read(file.Caller, file.Handle, offset, data.Span, out int count, out bool isEnd, out NfsAttributes? given);
        if (status != NfsStatus.Ok)
            return DataError(context, status, given);
        reply.CommitOpaque(count);
        int end = reply.Position;
        reply.Position = start;
        reply.WriteBoolean(isEnd);
        reply.Position = end;
        return Nfsstat4.Ok;
    }

    /// <summary>An error of READ, WRITE, COMMIT or a size that is set: what is no regular file is told apart (RFC 8881 section 15.1.2.9).</summary>
    private static Nfsstat4 DataError(CompoundContext context, NfsStatus status, NfsAttributes? given = null)
    {
        if (status is not (NfsStatus.Inval or NfsStatus.IsDir) || context.Current.Complete(given) is not { } attributes)
            return Nfs4Errors.Of(status);
        return attributes.Type switch
        {
            NfsFileType.Regular => Nfs4Errors.Of(status),
            NfsFileType.Directory => Nfsstat4.IsDir,
            _ when context.MinorVersion == 0 => Nfsstat4.Inval,
            NfsFileType.SymbolicLink => Nfsstat4.Symlink,
            _ => Nfsstat4.WrongType,
        };
    }
}
