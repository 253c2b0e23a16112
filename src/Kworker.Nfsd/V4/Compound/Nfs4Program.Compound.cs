using Kworker.Nfsd.Server;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// COMPOUND: RFC 7530 section 15.2, RFC 8881 section 16.2.
internal sealed partial class Nfs4Program
{
    /// <summary>Bytes that no operation takes of what a reply can hold, so that the status of the next one, which then fails, always fits.</summary>
    private const int Slack = 1024;

    /// <summary>Bytes in front of an RPC message on TCP: they do not count against a session's limits.</summary>
    private const int RecordMarkSize = 4;

    private const int StatusSize = 4;

    /// <summary>
    /// Reads operation by operation, and writes the results behind one another in place, up to the first that fails. Status and number of results, which
    /// stand before them, are written at the end.
    /// </summary>
    private void Compound(RpcCall call, CompoundArguments arguments, XdrWriter reply)
    {
        int start = reply.Position;
        reply.WriteUInt32(0);
        reply.WriteOpaque(arguments.Tag.Span);
        int countAt = reply.Position;
        reply.WriteUInt32(0);

        CompoundContext context = CompoundContext.Take(call, CurrentTree(), arguments.MinorVersion, (int)Math.Min(arguments.OperationCount, int.MaxValue));
        try
        {
            uint count = 0;
            Nfsstat4 status = !Speaks(arguments.MinorVersion)
                ? Nfsstat4.MinorVersMismatch
                : RunOperations(context, arguments.Operations, reply, out count);
            if (context.Replay is { } replay)
            {
                reply.Position = start;
                reply.WriteFixedOpaque(replay.Span);
                return;
            }
            int end = reply.Position;
            reply.Position = start;
            reply.WriteUInt32((uint)status);
            reply.Position = countAt;
            reply.WriteUInt32(count);
            reply.Position = end;
            context.Slot?.End(context, reply.Written.Span[start..]);
        }
        finally
        {
            context.Return();
        }
    }

    private bool Speaks(uint minorVersion) => minorVersion switch
    {
        0 => Versions.HasFlag(NfsVersions.V40),
        1 => Versions.HasFlag(NfsVersions.V41),
        2 => Versions.HasFlag(NfsVersions.V42),
        _ => false,
    };

    private Nfsstat4 RunOperations(CompoundContext context, ReadOnlyMemory<byte> operations, XdrWriter reply, out uint count)
    {
        var reader = new XdrReader(operations);
        var status = Nfsstat4.Ok;
        for (count = 0; count < context.OperationCount && status == Nfsstat4.Ok && context.Replay is null; count++)
        {
            context.OperationIndex = (int)count;
            status = RunOperation(context, ref reader, reply);
        }
        return status;
    }

    private Nfsstat4 RunOperation(CompoundContext context, ref XdrReader reader, XdrWriter reply)
    {
        // An operation that is missing altogether: BADXDR, in the name of none.
        bool isThere = reader.Remaining >= sizeof(uint);
        uint number = isThere ? reader.ReadUInt32() : (uint)NfsOpnum4.Illegal;
        Operation? operation = FindOperation(context, number);
        reply.WriteUInt32(operation is null ? (uint)NfsOpnum4.Illegal : number);
        int statusAt = reply.Position;
        reply.WriteUInt32(0);
        context.BodyStart = reply.Position;
        context.KeepsBody = false;

        Nfsstat4 status = isThere ? CheckOperation(context, operation, reply) : Nfsstat4.BadXdr;
        if (status == Nfsstat4.Ok)
        {
            status = Run(context, operation!, ref reader, reply);
            if (context.Replay is not null)
                return status;
            if (reply.Position - context.BodyStart > 0 && (status == Nfsstat4.Ok || context.KeepsBody))
            {
                Nfsstat4 fits = CheckRoom(context, reply, 0);
                if (fits != Nfsstat4.Ok)
                {
                    status = fits;
                    context.KeepsBody = false;
                }
            }
        }
        if (status != Nfsstat4.Ok && !context.KeepsBody)
        {
            reply.Position = context.BodyStart;
            if (operation is not null && operation.Has(OperationFlags.AlwaysHasBody))
                Operation.WriteFailureBody(reply);
        }
        int end = reply.Position;
        reply.Position = statusAt;
        reply.WriteUInt32((uint)status);
        reply.Position = end;
        return status;
    }

    private Nfsstat4 Run(CompoundContext context, Operation operation, ref XdrReader reader, XdrWriter reply)
    {
        try
        {
            return operation.Handler!(context, ref reader, reply);
        }
        catch (XdrException exception)
        {
            return exception.IsWriterFull ? TooBig(context, toCache: false) : Nfsstat4.BadXdr;
        }
        catch (Exception exception)
        {
            // A fault of a file system that somebody plugged in, or ours: told to the log, and to the client in NFS's own words.
            NfsLog.FileSystemFailed(_logger, exception, operation.Name);
            context.KeepsBody = false;
            return Nfsstat4.ServerFault;
        }
    }

    /// <summary>The operation of this number; null if the minor version has none.</summary>
    private Operation? FindOperation(CompoundContext context, uint number)
    {
        if (number >= (uint)_operations.Length || _operations[number] is not { } operation)
            return null;
        // What 4.1 dropped is known there, and not supported; what a version brought is none in those before.
        return context.MinorVersion >= operation.Since ? operation : null;
    }

    /// <summary>What stands in an operation's way whatever its arguments.</summary>
    private static Nfsstat4 CheckOperation(CompoundContext context, Operation? operation, XdrWriter reply)
    {
        if (operation is null)
            return Nfsstat4.OpIllegal;
        if (context.MinorVersion > 0)
        {
            Nfsstat4 order = CheckOrder(context, operation);
            if (order != Nfsstat4.Ok)
                return order;
        }
        if (context.OperationCount > MaxOperations)
            return context.MinorVersion == 0 ? Nfsstat4.Resource : Nfsstat4.TooManyOps;
        if (context.MinorVersion > 0 && !operation.Has(OperationFlags.V41))
            return Nfsstat4.NotSupp;
        if (operation.Has(OperationFlags.NeedsCurrent) && !context.HasCurrent)
            return Nfsstat4.NoFileHandle;
        if (operation.Handler is null)
            return Nfsstat4.NotSupp;
        return operation.Has(OperationFlags.Modifies) ? CheckRoom(context, reply, operation.MaximumResult) : Nfsstat4.Ok;
    }

    /// <summary>RFC 8881 section 2.10.3 and 18.46.3: SEQUENCE comes first, and what needs none comes alone.</summary>
    private static Nfsstat4 CheckOrder(CompoundContext context, Operation operation)
    {
        if (context.OperationIndex > 0)
            return operation.Number == NfsOpnum4.Sequence ? Nfsstat4.SequencePos : Nfsstat4.Ok;
        if (!operation.Has(OperationFlags.WithoutSession))
            return Nfsstat4.OpNotInSession;
        return operation.Number != NfsOpnum4.Sequence && context.OperationCount > 1 ? Nfsstat4.NotOnlyOp : Nfsstat4.Ok;
    }

    /// <summary>Whether the reply may take so many bytes more.</summary>
    private static Nfsstat4 CheckRoom(CompoundContext context, XdrWriter reply, int more)
    {
        if (more + Slack > reply.Available)
            return TooBig(context, toCache: false);
        if (context.Slot is not { } slot)
            return Nfsstat4.Ok;
        long size = reply.Position - RecordMarkSize + (long)more;
        if (size > slot.MaxResponseSize)
            return TooBig(context, toCache: false);
        return size > slot.MaxResponseSizeCached ? TooBig(context, toCache: true) : Nfsstat4.Ok;
    }

    private static Nfsstat4 TooBig(CompoundContext context, bool toCache) =>
        context.MinorVersion == 0 ? Nfsstat4.Resource : toCache ? Nfsstat4.RepTooBigToCache : Nfsstat4.RepTooBig;
}
