using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// WRITE, RFC 7530 section 16.36, RFC 8881 section 18.32.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Write(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Stateid4 stateid = Stateid4.Read(ref arguments);
        ulong offset = arguments.ReadUInt64();
        uint stability = arguments.ReadUInt32();
        ReadOnlySpan<byte> data = arguments.ReadOpaque();
        if (stability > (uint)NfsStability.FileSync)
            return Nfsstat4.BadXdr;
        NfsObject file = context.Current;
        if (file.CheckWritable() != NfsStatus.Ok)
            return Nfsstat4.RoFs;
        Nfsstat4 allowed = CheckStateid(context, stateid, StateidUse.Write);
        if (allowed != Nfsstat4.Ok)
            return allowed;

        // More than maxwrite is cut: a short write, which the client goes on with.
        NfsStatus status = file.FileSystem.Write(
            file.Caller, file.Handle, offset, data[..(int)Math.Min((uint)data.Length, _maxTransfer)], (NfsStability)stability,
            out NfsWritten written, out NfsChange change);
        if (status != NfsStatus.Ok)
            return DataError(context, status, change.After);
        reply.WriteUInt32((uint)written.Count);
        reply.WriteUInt32((uint)written.Committed);
        reply.WriteUInt64(_verifier.Of(written.Epoch));
        return Nfsstat4.Ok;
    }
}
