using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// SEQUENCE, RFC 8881 section 18.46.
internal sealed partial class Nfs4Program
{
    private Nfsstat4 Sequence(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        Sessionid4 id = Sessionid4.Read(ref arguments);
        uint seqid = arguments.ReadUInt32();
        uint slotId = arguments.ReadUInt32();
        uint highestSlot = arguments.ReadUInt32();
        bool cacheThis = arguments.ReadBoolean();

        if (!_state.TryFindSession(id, out Session session))
            return Nfsstat4.BadSession;
        if (slotId >= session.Slots.Length)
            return Nfsstat4.BadSlot;
        if (highestSlot >= session.Slots.Length)
            return Nfsstat4.BadHighSlot;
        if (context.OperationCount > session.Fore.MaxOperations)
            return Nfsstat4.TooManyOps;
        if (context.Call.RequestLength > session.Fore.MaxRequest)
            return Nfsstat4.ReqTooBig;

        XdrReader rest = arguments; // a copy: what follows is read again as it runs
        XdrReader peek = arguments;
        uint next = peek.Remaining >= sizeof(uint) ? peek.ReadUInt32() : 0;
        SessionSlot slot = session.Slots[slotId];
        Nfsstat4 status = slot.Begin(
            seqid, cacheThis, Principal.Of(context.Call), HashOf(rest.ReadFixedOpaque(rest.Remaining & ~3)), context.OperationCount, next,
            out ReadOnlyMemory<byte>? replay);
        if (status != Nfsstat4.Ok)
            return status;
        if (replay is not null)
        {
            context.Replay = replay;
            _state.Revive(session.Client);
            return Nfsstat4.Ok; // what was answered then, whatever has become of the client
        }
        session.Client.Enter(_state.Now);
        if (session.Client.IsSuspended && !_state.Resume(session.Client))
        {
            session.Client.Leave(_state.Now);
            return Nfsstat4.BadSession; // which the slot went with
        }
        context.Slot = slot;
        context.Client = session.Client;

        id.Write(reply);
        reply.WriteUInt32(seqid);
        reply.WriteUInt32(slotId);
        uint highest = (uint)session.Slots.Length - 1;
        reply.WriteUInt32(highest);
        reply.WriteUInt32(highest);
        reply.WriteUInt32(NfsState.StatusOf(session));
        return Nfsstat4.Ok;
    }

    /// <summary>Tells a retry from another request: not against malice, which has better ways to harm its own session.</summary>
    private static ulong HashOf(ReadOnlySpan<byte> request)
    {
        // Of long requests, which are WRITEs, the head and the tail: the data is not worth reading for it.
        const int most = 512;
        var hash = default(HashCode);
        hash.AddBytes(request[..Math.Min(request.Length, most)]);
        if (request.Length > most)
            hash.AddBytes(request[^Math.Min(request.Length - most, most)..]);
        return (ulong)(uint)request.Length << 32 | (uint)hash.ToHashCode();
    }
}
