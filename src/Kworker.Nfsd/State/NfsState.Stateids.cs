using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

// What stateids name, and what may be done by them: READ, WRITE, SETATTR; TEST_STATEID, FREE_STATEID.
internal sealed partial class NfsState
{
    /// <summary>Whether a file may be read, written or cut by a stateid. Takes no lock and allocates nothing unless the stateid is a special one.</summary>
    /// <param name="caller">4.1: the client of the session; null in 4.0, where the stateid says it.</param>
    /// <param name="stateid">The stateid, not the one that stands for the current one (<see cref="CompoundContext.Resolve"/>).</param>
    /// <param name="file">The file.</param>
    /// <param name="access">What is to be done.</param>
    public Nfsstat4 CheckIo(NfsClient? caller, in Stateid4 stateid, in FileKey file, ShareAccess access)
    {
        if (stateid.IsSpecial)
            return CheckSpecial(stateid, file, access);
        Nfsstat4 status = Find(caller, stateid, out StateObject? state);
        if (status != Nfsstat4.Ok)
            return status;
        status = state!.CheckSeqid(stateid.Seqid, caller is not null);
        if (status != Nfsstat4.Ok)
            return status;
        if (!file.Equals(state.File.Key))
            return Nfsstat4.BadStateid;
        if (state is LockState locks)
            return CheckAccess(locks.Open, access);
        var open = (OpenState)state;
        return open.Owner.IsConfirmed ? CheckAccess(open, access) : Nfsstat4.BadStateid;
    }

    /// <summary>Finds a state, and begins its client's lease anew.</summary>
    /// <param name="caller">4.1: the client of the session; null in 4.0.</param>
    /// <param name="stateid">Its stateid.</param>
    /// <param name="state">The state, valid in all but its seqid.</param>
    /// <param name="orClosed">Whether one that was closed will do, too: a retry of CLOSE.</param>
    public Nfsstat4 Find(NfsClient? caller, in Stateid4 stateid, out StateObject? state, bool orClosed = false)
    {
        state = null;
        if (stateid.IsSpecial)
            return Nfsstat4.BadStateid;
        if (caller is null)
        {
            if (IsOfOtherStart(stateid.OtherHigh))
                return Nfsstat4.StaleStateid;
            if (!_byId.TryGetValue(stateid.OtherHigh, out NfsClient? client))
                return WasGivenOut(stateid.OtherHigh) ? Nfsstat4.Expired : Nfsstat4.BadStateid;
            if (client.MinorVersion > 0)
                return Nfsstat4.BadStateid; // nothing of it is over; it is another's
            if (!Revive(client))
                return Nfsstat4.Expired;
        }
        else if (caller.Id != stateid.OtherHigh)
        {
            return Nfsstat4.BadStateid;
        }
        if (!_states.TryGetValue((stateid.OtherHigh, stateid.OtherLow), out state))
            return Nfsstat4.BadStateid;
        StateStatus status = state.Status;
        if (status == StateStatus.Valid || (orClosed && status == StateStatus.Closed))
            return Nfsstat4.Ok;
        state = null;
        return status == StateStatus.Closed ? Nfsstat4.BadStateid : Nfsstat4.AdminRevoked;
    }

    /// <summary>TEST_STATEID: RFC 8881 section 18.48.</summary>
    public Nfsstat4 Test(NfsClient caller, in Stateid4 stateid)
    {
        Nfsstat4 status = Find(caller, stateid, out StateObject? state);
        return status == Nfsstat4.Ok ? state!.CheckSeqid(stateid.Seqid, hasSession: true) : status;
    }

    /// <summary>FREE_STATEID: RFC 8881 section 18.38.</summary>
    public Nfsstat4 Free(NfsClient caller, in Stateid4 stateid)
    {
        lock (caller.Sync)
        {
            if (stateid.IsSpecial || caller.Id != stateid.OtherHigh || !_states.TryGetValue((stateid.OtherHigh, stateid.OtherLow), out StateObject? state))
                return Nfsstat4.BadStateid;
            if (state.Status == StateStatus.Revoked)
            {
                Forget(state);
                caller.RevokedCount--;
                return Nfsstat4.Ok;
            }
            Nfsstat4 status = state.CheckSeqid(stateid.Seqid, hasSession: true);
            if (status != Nfsstat4.Ok)
                return status;
            if (state is not LockState locks || HoldsLocks(locks))
                return Nfsstat4.LocksHeld;
            Drop(locks);
            return Nfsstat4.Ok;
        }
    }

    private bool HoldsLocks(LockState locks)
    {
        if (locks.Owner.IsIdle)
            return false;
        foreach ((Lockd.Locks.LockOwner owner, _, _) in _locks.Locks(locks.File.Locks))
        {
            if (owner == locks.Owner)
                return true;
        }
        return false;
    }

    /// <summary>A stateid that names no state: the operation must not go against what others have (RFC 7530 section 9.1.4.3).</summary>
    private Nfsstat4 CheckSpecial(in Stateid4 stateid, in FileKey file, ShareAccess access)
    {
        if (stateid != Stateid4.Anonymous && stateid != Stateid4.ReadBypass)
            return Nfsstat4.BadStateid;
        if (stateid == Stateid4.ReadBypass && access == ShareAccess.Read)
            return Nfsstat4.Ok;
        if (IsInGrace)
            return Nfsstat4.Grace; // who denies it may not have come back yet
        while (_files.TryGetValue(file, out FileState? open))
        {
            NfsClient? late;
            lock (open)
            {
                if (open.Allows(access, ShareAccess.None))
                    return Nfsstat4.Ok;
                late = open.InTheWay(access, ShareAccess.None).FirstOrDefault(other => IsLate(other.Client))?.Client;
            }
            if (late is null || !TakeFromLate(late))
                return Nfsstat4.Locked;
        }
        return Nfsstat4.Ok;
    }

    private bool WasGivenOut(ulong id)
    {
        lock (_clients)
            return (uint)id <= _lastClient && (uint)id != 0;
    }

    /// <summary>Who may write may read, too: what clients cache is pages (as Linux).</summary>
    private static Nfsstat4 CheckAccess(OpenState open, ShareAccess access) =>
        access == ShareAccess.Read || (open.Access & access) != 0 ? Nfsstat4.Ok : Nfsstat4.OpenMode;
}
