using Kworker.Lockd.Locks;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

// Byte-range locks: LOCK, LOCKT, LOCKU, RELEASE_LOCKOWNER. The locks are in the table that NLM has, too; a request that waits asks again.
internal sealed partial class NfsState
{
    /// <summary>The lock owner that an open introduces (<c>open_to_lock_owner4</c>), with its stateid for the open's file: made if need be.</summary>
    /// <param name="open">The open, by which it may lock.</param>
    /// <param name="seqid">The version of the open's stateid.</param>
    /// <param name="file">The current file.</param>
    /// <param name="name">What the client calls the owner.</param>
    /// <param name="lockSeqid">4.0: the number of the owner's request.</param>
    /// <param name="locks">The stateid's state.</param>
    /// <param name="isNew">Whether it is new: if the lock is not granted it is to go again (<see cref="DropUnused"/>).</param>
    public Nfsstat4 IntroduceLockOwner(
        OpenState open, uint seqid, in FileKey file, OwnerName name, uint lockSeqid, out LockState? locks, out bool isNew)
    {
        NfsClient client = open.Client;
        locks = null;
        isNew = false;
        lock (client.Sync)
        {
            Nfsstat4 status = CheckUsable(open, seqid, file);
            if (status != Nfsstat4.Ok)
                return status;
            if (!open.Owner.IsConfirmed)
                return Nfsstat4.BadStateid;
            if (client.LockOwners.TryGetValue(name, out NfsLockOwner? owner))
            {
                if (client.MinorVersion == 0 && owner.Sequence.Next != lockSeqid)
                    return Nfsstat4.BadSeqid;
            }
            else
            {
                if (client.StateCount >= _options.MaximumStates || client.LockOwners.Count >= _options.MaximumOwners)
                    return Exhausted(client);
                owner = new NfsLockOwner(this, client, name.Copy());
                owner.Sequence.Next = lockSeqid;
                client.LockOwners.Add(owner.Name, owner);
            }
            locks = open.Locks.Find(known => known.Owner == owner);
            if (locks is not null)
                return Nfsstat4.Ok;
            isNew = true;
            locks = new LockState(owner, open, NextNumber());
            open.Locks.Add(locks);
            owner.Locks.Add(locks);
            Add(locks);
            return Nfsstat4.Ok;
        }
    }

    /// <summary>Takes a lock.</summary>
    /// <param name="locks">Whose.</param>
    /// <param name="seqid">The version of its stateid; null if the owner has just been introduced.</param>
    /// <param name="file">The current file.</param>
    /// <param name="kind">Which.</param>
    /// <param name="range">Where.</param>
    /// <param name="isReclaim">Whether it was held before a restart of the server.</param>
    /// <param name="stateid">The new version.</param>
    /// <param name="conflict">What is in the way, with DENIED.</param>
    public Nfsstat4 Lock(
        LockState locks, uint? seqid, in FileKey file, LockKind kind, LockRange range, bool isReclaim, out Stateid4 stateid, out LockConflict conflict)
    {
        stateid = default;
        conflict = default;
        NfsClient client = locks.Client;
        Nfsstat4 status = CheckGrace(isReclaim);
        if (status == Nfsstat4.Ok && isReclaim)
            status = CheckReclaim(client);
        if (status != Nfsstat4.Ok)
            return status;
        while (true)
        {
            lock (client.Sync)
            {
                status = CheckUsable(locks, seqid ?? locks.Seqid, file);
                if (status != Nfsstat4.Ok)
                    return status;
                ShareAccess need = kind == LockKind.Write ? ShareAccess.Write : ShareAccess.Read;
                if ((locks.Open.Access & need) == 0)
                    return Nfsstat4.OpenMode;
                LockOutcome outcome;
                using (Worker.Blocking())
                    outcome = _locks.Lock(locks.File.Locks, locks.Owner, kind, range, out conflict);
                if (outcome == LockOutcome.Granted)
                {
                    DropNotice(client, locks.File.Locks, locks.Owner.Name);
                    stateid = seqid is null && locks.Seqid == 1 ? locks.Stateid : locks.Advance();
                    return Nfsstat4.Ok;
                }
                if (outcome != LockOutcome.Denied)
                    return outcome == LockOutcome.Deadlock ? Nfsstat4.Deadlock : Exhausted(client);
            }
            if (conflict.Owner?.GiveWay() != true)
                return isReclaim ? Nfsstat4.ReclaimConflict : Nfsstat4.Denied;
        }
    }

    /// <summary>LOCKT: RFC 7530 section 16.11, RFC 8881 section 18.11.</summary>
    /// <returns>OK if the lock could be had; DENIED with what is in the way; GRACE.</returns>
    public Nfsstat4 TestLock(
        NfsClient client, OwnerName name, in FileKey file, LockKind kind, LockRange range, out LockConflict conflict)
    {
        conflict = default;
        if (IsInGrace)
            return Nfsstat4.Grace;
        NfsLockOwner? owner;
        lock (client.Sync)
            client.LockOwners.TryGetValue(name, out owner);
        owner ??= new NfsLockOwner(this, client, name); // one that holds nothing
        using (Worker.Blocking())
        {
            while (!_locks.Test(_lockKeys(file), owner, kind, range, out conflict))
            {
                if (conflict.Owner?.GiveWay() != true)
                    return Nfsstat4.Denied;
            }
        }
        return Nfsstat4.Ok;
    }

    /// <summary>LOCKU: RFC 7530 section 16.12, RFC 8881 section 18.12.</summary>
    public Nfsstat4 Unlock(LockState locks, uint seqid, in FileKey file, LockRange range, out Stateid4 stateid)
    {
        stateid = default;
        lock (locks.Client.Sync)
        {
            Nfsstat4 status = CheckUsable(locks, seqid, file);
            if (status != Nfsstat4.Ok)
                return status;
            using (Worker.Blocking())
                _locks.Unlock(locks.File.Locks, locks.Owner, range);
            stateid = locks.Advance();
            return Nfsstat4.Ok;
        }
    }

    /// <summary>RELEASE_LOCKOWNER: RFC 7530 section 16.37.</summary>
    public Nfsstat4 ReleaseLockOwner(NfsClient client, OwnerName name)
    {
        lock (client.Sync)
        {
            if (!client.LockOwners.TryGetValue(name, out NfsLockOwner? owner))
                return Nfsstat4.Ok;
            if (!owner.IsIdle)
                return Nfsstat4.LocksHeld;
            Remove(owner);
            return Nfsstat4.Ok;
        }
    }

    /// <summary>A lock owner that was introduced for a lock which it did not get.</summary>
    public void DropUnused(LockState locks)
    {
        lock (locks.Client.Sync)
        {
            if (locks.Status == StateStatus.Valid && locks.Seqid == 1 && locks.Open.Locks.Contains(locks))
            {
                Drop(locks);
                // Nor is its owner known any more: Linux's client, refused its first lock, comes again under the same name and counts from the start.
                if (locks.Client.MinorVersion == 0 && locks.Owner.Locks.Count == 0)
                    Remove(locks.Owner);
            }
        }
    }

    /// <summary>Client's lock: an owner's locks in a file are no more.</summary>
    private void Drop(LockState locks)
    {
        _locks.Unlock(locks.File.Locks, locks.Owner, LockRange.All);
        locks.Status = StateStatus.Closed;
        locks.Open.Locks.Remove(locks);
        locks.Owner.Locks.Remove(locks);
        Forget(locks);
        // An owner without a stateid is none: Linux gives the name of one that was refused its first lock to the next, which numbers from 0 again.
        if (locks.Owner.Locks.Count == 0)
            Remove(locks.Owner);
    }

    /// <summary>Client's lock: a lock owner is forgotten, with what it has.</summary>
    private void Remove(NfsLockOwner owner)
    {
        owner.IsGone = true;
        owner.Client.LockOwners.Remove(owner.Name);
        while (owner.Locks.Count > 0)
            Drop(owner.Locks[^1]);
    }

    private static Nfsstat4 CheckUsable(LockState locks, uint seqid, in FileKey file)
    {
        if (locks.Status != StateStatus.Valid || locks.Client.IsGone || !file.Equals(locks.File.Key))
            return Nfsstat4.BadStateid;
        return locks.CheckSeqid(seqid, locks.Client.MinorVersion > 0);
    }
}
