using Kworker.Nfsd.Server;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// What operations about state have in common: 4.0's numbered requests (RFC 7530 section 9.1.7), and stateids.
internal sealed partial class Nfs4Program
{
    /// <summary>Whether a stateid allows what is to be done with the current file: READ, WRITE, SETATTR of a size.</summary>
    /// <param name="context">The compound.</param>
    /// <param name="stateid">As the client sent it.</param>
    /// <param name="use">What is to be done.</param>
    private Nfsstat4 CheckStateid(CompoundContext context, Stateid4 stateid, StateidUse use)
    {
        Nfsstat4 status = context.Resolve(ref stateid);
        if (status != Nfsstat4.Ok)
            return status;
        ShareAccess access = use == StateidUse.Read ? ShareAccess.Read : ShareAccess.Write;
        return _state.CheckIo(context.Client, stateid, KeyOf(context.Current), access);
    }

    private static FileKey KeyOf(in NfsObject file) => new(file.FileSystem, file.Handle);

    /// <summary>A request about what an owner holds. <paramref name="seqid"/> is that of the stateid.</summary>
    private delegate Nfsstat4 OwnersRequest<TState, TArguments>(
        Nfs4Program program, CompoundContext context, TState state, uint seqid, in TArguments arguments, XdrWriter reply);

    /// <summary>Runs a request about what an owner holds: in 4.0 once, in the order of the owner's requests.</summary>
    /// <param name="context">The compound.</param>
    /// <param name="sequence">4.0: the owner's.</param>
    /// <param name="number">4.0: the request's number in it.</param>
    /// <param name="state">What the owner holds.</param>
    /// <param name="seqid">That of the stateid.</param>
    /// <param name="arguments">What else was asked.</param>
    /// <param name="reply">Takes the result.</param>
    /// <param name="request">What runs it.</param>
    private Nfsstat4 RunInSequence<TState, TArguments>(
        CompoundContext context, OwnerSequence sequence, uint number, TState state, uint seqid, in TArguments arguments, XdrWriter reply,
        OwnersRequest<TState, TArguments> request)
    {
        if (context.MinorVersion > 0)
            return request(this, context, state, seqid, arguments, reply);
        if (!TryBeginInSequence(context, sequence, number, reply, out Nfsstat4 status))
            return status;
        status = Nfsstat4.ServerFault;
        try
        {
            return status = request(this, context, state, seqid, arguments, reply);
        }
        finally
        {
            EndInSequence(context, sequence, status, reply);
        }
    }

    /// <summary>4.0: begins a numbered request.</summary>
    /// <returns>True if it is to be run, and then ended by <see cref="EndInSequence"/>; else <paramref name="status"/> is its answer.</returns>
    private static bool TryBeginInSequence(CompoundContext context, OwnerSequence sequence, uint seqid, XdrWriter reply, out Nfsstat4 status)
    {
        sequence.Enter();
        status = Nfsstat4.BadSeqid;
        switch (sequence.Check(seqid))
        {
            case SequenceVerdict.New:
                return true;
            case SequenceVerdict.Replay:
                status = Replay(context, sequence, reply);
                break;
        }
        sequence.Exit();
        return false;
    }

    /// <summary>4.0: answers as the last time.</summary>
    private static Nfsstat4 Replay(CompoundContext context, OwnerSequence sequence, XdrWriter reply)
    {
        reply.WriteFixedOpaque(sequence.Reply);
        context.KeepsBody = sequence.Reply.Length > 0;
        if (sequence.Current is { } current)
            context.SetCurrent(current);
        return sequence.Status;
    }

    /// <summary>4.0: keeps the answer.</summary>
    private static void EndInSequence(CompoundContext context, OwnerSequence sequence, Nfsstat4 status, XdrWriter reply, bool withCurrent = false)
    {
        ReadOnlySpan<byte> body = status == Nfsstat4.Ok || context.KeepsBody ? reply.Written.Span[context.BodyStart..] : default;
        sequence.Complete(status, body, withCurrent && status == Nfsstat4.Ok ? context.Current : null);
        sequence.Exit();
    }

    /// <summary>Writes a stateid as the result, and makes it the current one.</summary>
    private static Nfsstat4 Answer(CompoundContext context, Nfsstat4 status, in Stateid4 stateid, XdrWriter reply)
    {
        if (status != Nfsstat4.Ok)
            return status;
        stateid.Write(reply);
        context.CurrentStateid = stateid;
        return Nfsstat4.Ok;
    }

    /// <summary>Finds the open, or the locks, that a stateid names.</summary>
    /// <returns>OK; BADSTATEID also if it names something else.</returns>
    private Nfsstat4 FindState<T>(CompoundContext context, ref Stateid4 stateid, out T? state, bool orClosed = false)
        where T : StateObject
    {
        state = null;
        Nfsstat4 status = context.Resolve(ref stateid);
        if (status != Nfsstat4.Ok)
            return status;
        status = _state.Find(context.Client, stateid, out StateObject? found, orClosed);
        if (status != Nfsstat4.Ok)
            return status;
        state = found as T;
        return state is null ? Nfsstat4.BadStateid : Nfsstat4.Ok;
    }

    /// <summary>The client that an owner belongs to: 4.0 says it in each request, 4.1 by the session.</summary>
    private Nfsstat4 FindClient(CompoundContext context, ulong clientid, out NfsClient? client)
    {
        client = context.Client;
        return client is not null ? Nfsstat4.Ok : _state.Find(clientid, out client);
    }
}
