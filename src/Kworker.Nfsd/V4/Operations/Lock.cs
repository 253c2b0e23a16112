using Kworker.Lockd.Locks;
using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.State;
using Kworker.SunRpc;

namespace Kworker.Nfsd.V4;

// LOCK, RFC 7530 section 16.10, RFC 8881 section 18.10.
internal sealed partial class Nfs4Program
{
    /// <summary><c>nfs_lock_type4</c>. The W forms say that the client will ask again until it gets the lock.</summary>
    private enum LockType4 : uint
    {
        Read = 1,
        Write = 2,
        ReadWait = 3,
        WriteWait = 4,
    }

    /// <summary>What is asked for, read.</summary>
    private readonly record struct LockRequest(LockKind Kind, ulong Offset, ulong Length, bool IsReclaim, bool AsksAgain);

    private Nfsstat4 Lock(CompoundContext context, ref XdrReader arguments, XdrWriter reply)
    {
        var type = (LockType4)arguments.ReadUInt32();
        bool isReclaim = arguments.ReadBoolean();
        var request = new LockRequest(KindOf(type), arguments.ReadUInt64(), arguments.ReadUInt64(), isReclaim, type >= LockType4.ReadWait);
        if (type is < LockType4.Read or > LockType4.WriteWait)
            return Nfsstat4.BadXdr;
        if (arguments.ReadBoolean())
        {
            uint openSeqid = arguments.ReadUInt32();
            Stateid4 openStateid = Stateid4.Read(ref arguments);
            uint lockSeqid = arguments.ReadUInt32();
            StateOwner4 owner = StateOwner4.Read(ref arguments);
            return LockOfNewOwner(context, request, openSeqid, openStateid, lockSeqid, owner, reply);
        }
        Stateid4 stateid = Stateid4.Read(ref arguments);
        return LockOfKnownOwner(context, request, stateid, arguments.ReadUInt32(), reply);
    }

    private Nfsstat4 LockOfNewOwner(
        CompoundContext context, in LockRequest request, uint openSeqid, Stateid4 openStateid, uint lockSeqid, in StateOwner4 owner, XdrWriter reply)
    {
        Nfsstat4 status = CheckLockable(context);
        if (status == Nfsstat4.Ok && context.MinorVersion == 0)
            status = _state.Find(owner.Clientid, out _);
        if (status != Nfsstat4.Ok)
            return status;
        status = FindState(context, ref openStateid, out OpenState? found);
        if (status != Nfsstat4.Ok)
            return status;
        OpenState open = found!;
        var name = new OwnerName(owner.Owner);
        if (context.MinorVersion > 0)
            return LockOfNewOwner(context, request, open, openStateid.Seqid, lockSeqid, name, reply, out _);
        if (open.Client.Id != owner.Clientid)
            return Nfsstat4.BadStateid;
        if (!TryBeginInSequence(context, open.Owner.Sequence, openSeqid, reply, out status))
            return status;
        status = Nfsstat4.ServerFault;
        try
        {
            status = LockOfNewOwner(context, request, open, openStateid.Seqid, lockSeqid, name, reply, out LockState? locks);
            if (locks is not null && OwnerSequence.Counts(status))
                CountForLockOwner(context, locks.Owner.Sequence, lockSeqid, status, reply);
            return status;
        }
        finally
        {
            EndInSequence(context, open.Owner.Sequence, status, reply);
        }
    }

    private Nfsstat4 LockOfNewOwner(
        CompoundContext context, in LockRequest request, OpenState open, uint seqid, uint lockSeqid, OwnerName name, XdrWriter reply, out LockState? locks)
    {
        locks = null;
        if (!TryGetRange(request.Offset, request.Length, out LockRange range, out Nfsstat4 status))
            return status;
        status = _state.IntroduceLockOwner(open, seqid, KeyOf(context.Current), name, lockSeqid, out locks, out bool isNew);
        if (status != Nfsstat4.Ok)
            return status;
        status = Lock(context, locks!, null, request, range, reply);
        if (status != Nfsstat4.Ok && isNew)
            _state.DropUnused(locks!);
        return status;
    }

    private Nfsstat4 LockOfKnownOwner(CompoundContext context, in LockRequest request, Stateid4 stateid, uint seqid, XdrWriter reply)
    {
        Nfsstat4 status = CheckLockable(context);
        if (status != Nfsstat4.Ok)
            return status;
        status = FindState(context, ref stateid, out LockState? locks);
        if (status != Nfsstat4.Ok)
            return status;
        return RunInSequence(
            context, locks!.Owner.Sequence, seqid, locks, stateid.Seqid, request, reply,
            static (program, context, locks, seqid, in request, reply) => program.LockInRange(context, locks, seqid, request, reply));
    }

    private Nfsstat4 LockInRange(CompoundContext context, LockState locks, uint seqid, in LockRequest request, XdrWriter reply) =>
        TryGetRange(request.Offset, request.Length, out LockRange range, out Nfsstat4 status)
            ? Lock(context, locks, seqid, request, range, reply)
            : status;

    private Nfsstat4 Lock(CompoundContext context, LockState locks, uint? seqid, in LockRequest request, LockRange range, XdrWriter reply)
    {
        Nfsstat4 status;
        Stateid4 stateid;
        LockConflict conflict;
        do
        {
            status = _state.Lock(
                locks, seqid, KeyOf(context.Current), request.Kind, range, request.IsReclaim, out stateid, out conflict);
        }
        while (status == Nfsstat4.Denied && !WillHear(context, locks, request, range));
        if (status == Nfsstat4.Denied)
            WriteDenied(context, conflict, reply);
        return Answer(context, status, stateid, reply);
    }

    /// <summary>4.1: the client of a request that was refused is told when the lock is free, if it asks again then, and can be told.</summary>
    /// <returns>False if the lock is free by now: then the request is worth another try.</returns>
    private bool WillHear(CompoundContext context, LockState locks, in LockRequest request, LockRange range)
    {
        if (!request.AsksAgain || context.Slot is not SessionSlot { Session: { Callbacks.CanTell: true } session })
            return true;
        Span<byte> handle = stackalloc byte[FileHandleSeal.MaxSealedLength];
        int length = _exports.Seal(context.Current, context.Current.Handle, handle);
        return _state.NotifyWhenFree(session, locks, handle[..length].ToArray(), request.Kind, range);
    }

    /// <summary>4.0: a request numbered by its open's owner counts among those of the lock owner that it introduces, too.</summary>
    private static void CountForLockOwner(CompoundContext context, OwnerSequence sequence, uint seqid, Nfsstat4 status, XdrWriter reply)
    {
        sequence.Enter();
        if (sequence.Next == seqid)
            EndInSequence(context, sequence, status, reply);
        else
            sequence.Exit();
    }

    /// <summary><c>LOCK4denied</c>: what is in the way. A lock of NLM or of a program of this machine is nobody's that NFSv4 could name.</summary>
    private static void WriteDenied(CompoundContext context, in LockConflict conflict, XdrWriter reply)
    {
        context.KeepsBody = true;
        ulong start = conflict.Range.Start;
        reply.WriteUInt64(start);
        reply.WriteUInt64(conflict.Range.End == ulong.MaxValue ? ulong.MaxValue : conflict.Range.End - start + 1);
        reply.WriteUInt32((uint)(conflict.Kind == LockKind.Write ? LockType4.Write : LockType4.Read));
        if (conflict.Owner is NfsLockOwner owner)
        {
            reply.WriteUInt64(owner.Client.Id);
            reply.WriteOpaque(owner.Name.Bytes.Span);
        }
        else
        {
            reply.WriteUInt64(0);
            reply.WriteOpaque([]);
        }
    }

    /// <summary>Whether the current file is one in which there are locks.</summary>
    private static Nfsstat4 CheckLockable(CompoundContext context)
    {
        NfsStatus status = context.Current.FileSystem.GetAttributes(context.Current.Caller, context.Current.Handle, out NfsAttributes attributes);
        if (status != NfsStatus.Ok)
            return Nfs4Errors.Of(status);
        return attributes.Type switch
        {
            NfsFileType.Regular => Nfsstat4.Ok,
            NfsFileType.Directory => Nfsstat4.IsDir,
            NfsFileType.SymbolicLink when context.MinorVersion > 0 => Nfsstat4.Symlink,
            _ => context.MinorVersion > 0 ? Nfsstat4.WrongType : Nfsstat4.Inval,
        };
    }

    private static LockKind KindOf(LockType4 type) => type is LockType4.Write or LockType4.WriteWait ? LockKind.Write : LockKind.Read;

    /// <summary>Length all ones: to the end of the file. 0, or past 2^64: INVAL.</summary>
    private static bool TryGetRange(ulong offset, ulong length, out LockRange range, out Nfsstat4 status)
    {
        status = Nfsstat4.Inval;
        range = default;
        if (length == 0)
            return false;
        status = Nfsstat4.Ok;
        if (LockRange.TryCreate(offset, length == ulong.MaxValue ? 0 : length, out range))
            return true;
        status = Nfsstat4.Inval;
        return false;
    }
}
