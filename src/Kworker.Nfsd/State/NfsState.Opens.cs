using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

// Opens and share reservations: OPEN, OPEN_CONFIRM, OPEN_DOWNGRADE, CLOSE.
internal sealed partial class NfsState
{
    /// <summary>4.0: the owner of an OPEN, entered; <see cref="OwnerSequence.Exit"/> is due whatever comes back but an error.</summary>
    /// <param name="client">The client.</param>
    /// <param name="name">What it calls the owner.</param>
    /// <param name="seqid">The request's number.</param>
    /// <param name="owner">The owner; null with an error.</param>
    /// <param name="verdict">What the number makes of the request.</param>
    public Nfsstat4 EnterOpenOwner(NfsClient client, OwnerName name, uint seqid, out OpenOwner? owner, out SequenceVerdict verdict)
    {
        verdict = SequenceVerdict.New;
        while (true)
        {
            Nfsstat4 status = FindOpenOwner(client, name, out owner, out bool isNew);
            if (status != Nfsstat4.Ok)
                return status;
            OwnerSequence sequence = owner!.Sequence;
            sequence.Enter();
            bool isGone;
            lock (client.Sync)
            {
                isGone = owner.IsGone;
                // One that never was confirmed is as good as new, whatever it had: the client has started over (RFC 7530 section 16.18.5).
                if (!isGone && !isNew && !owner.IsConfirmed && sequence.Check(seqid) != SequenceVerdict.Replay)
                {
                    Remove(owner);
                    isGone = true;
                }
            }
            if (isGone)
            {
                sequence.Exit();
                continue;
            }
            if (isNew)
                sequence.Next = seqid;
            verdict = sequence.Check(seqid);
            if (verdict != SequenceVerdict.Bad)
                return Nfsstat4.Ok;
            sequence.Exit();
            return Nfsstat4.BadSeqid;
        }
    }

    /// <summary>4.1: the owner of an OPEN, made if need be.</summary>
    public Nfsstat4 FindOpenOwner(NfsClient client, OwnerName name, out OpenOwner? owner) => FindOpenOwner(client, name, out owner, out _);

    private Nfsstat4 FindOpenOwner(NfsClient client, OwnerName name, out OpenOwner? owner, out bool isNew)
    {
        isNew = false;
        lock (client.Sync)
        {
            owner = null;
            if (client.IsGone)
                return client.MinorVersion == 0 ? Nfsstat4.Expired : Nfsstat4.BadSession;
            if (client.OpenOwners.TryGetValue(name, out owner))
                return Nfsstat4.Ok;
            if (client.OpenOwners.Count >= _options.MaximumOwners)
                return Exhausted(client);
            owner = new OpenOwner(client, name.Copy()) { IsConfirmed = client.MinorVersion > 0, LastUse = Now };
            client.OpenOwners.Add(owner.Name, owner);
            isNew = true;
            return Nfsstat4.Ok;
        }
    }

    /// <summary>Whether an OPEN may go on at all: grace, and who reclaims.</summary>
    public Nfsstat4 CheckOpen(NfsClient client, bool isReclaim)
    {
        if (isReclaim)
        {
            Nfsstat4 status = CheckGrace(isReclaim: true);
            return status == Nfsstat4.Ok ? CheckReclaim(client) : status;
        }
        if (client.MinorVersion > 0 && !client.ReclaimComplete)
            return Nfsstat4.Grace; // RFC 8881 section 18.51.3: first it must say that it has nothing to reclaim
        return CheckGrace(isReclaim: false);
    }

    /// <summary>The owner opens a file, or opens it for more.</summary>
    /// <param name="owner">Who.</param>
    /// <param name="key">Which.</param>
    /// <param name="access">What the owner will do.</param>
    /// <param name="deny">What others may not.</param>
    /// <param name="isReclaim">Whether it had this before a restart of the server.</param>
    /// <param name="stateid">The stateid.</param>
    /// <returns>OK, SHARE_DENIED, RECLAIM_CONFLICT, RESOURCE, EXPIRED.</returns>
    public Nfsstat4 Open(OpenOwner owner, in FileKey key, ShareAccess access, ShareAccess deny, bool isReclaim, out Stateid4 stateid)
    {
        NfsClient client = owner.Client;
        // Who reclaims is in the record, and of 4.1 counts as one that has yet to come back until it says RECLAIM_COMPLETE.
        if (owner.IsConfirmed && !isReclaim)
            EnsureRecorded(client); // 4.1: RECLAIM_COMPLETE has done it; 4.0's new owners: OPEN_CONFIRM will
        while (true)
        {
            Nfsstat4 status = TryOpen(owner, key, access, deny, out stateid, out NfsClient? inTheWay);
            if (status != Nfsstat4.ShareDenied)
                return status;
            if (inTheWay is not null && inTheWay != client && TakeFromLate(inTheWay))
                continue;
            return isReclaim ? Nfsstat4.ReclaimConflict : status;
        }
    }

    private Nfsstat4 TryOpen(
        OpenOwner owner, in FileKey key, ShareAccess access, ShareAccess deny, out Stateid4 stateid, out NfsClient? inTheWay)
    {
        NfsClient client = owner.Client;
        stateid = default;
        inTheWay = null;
        lock (client.Sync)
        {
            if (client.IsGone || owner.IsGone)
                return client.MinorVersion == 0 ? Nfsstat4.Expired : Nfsstat4.BadSession;
            FileState file = LockFile(key);
            try
            {
                owner.Opens.TryGetValue(file, out OpenState? open);
                if (!file.Allows(access, deny))
                {
                    inTheWay = file.InTheWay(access, deny).FirstOrDefault(other => other.Owner != owner && IsLate(other.Client))?.Client;
                    return Nfsstat4.ShareDenied;
                }
                if (open is null)
                {
                    if (client.StateCount >= _options.MaximumStates)
                        return Exhausted(client);
                    open = new OpenState(owner, file, NextNumber());
                    owner.Opens.Add(file, open);
                    open.Upgrade(access, deny);
                    Add(open);
                    stateid = open.Stateid;
                }
                else
                {
                    open.Upgrade(access, deny);
                    stateid = open.Advance();
                }
                return Nfsstat4.Ok;
            }
            finally
            {
                ForgetIfIdle(file);
                Monitor.Exit(file);
            }
        }
    }

    /// <summary>An OPEN that could not be finished: what it added is closed, if that was all there is.</summary>
    public void TakeBack(OpenOwner owner, in Stateid4 stateid)
    {
        NfsClient client = owner.Client;
        lock (client.Sync)
        {
            const uint first = 1; // an upgrade stays: what it allows, the client was allowed to ask for
            if (stateid.Seqid != first || !_states.TryGetValue((client.Id, stateid.OtherLow), out StateObject? state) || state is not OpenState open)
                return;
            owner.Opens.Remove(open.File);
            Drop(open);
        }
    }

    /// <summary>OPEN_CONFIRM: RFC 7530 section 16.18. The owner is entered.</summary>
    public Nfsstat4 ConfirmOpen(OpenState open, uint seqid, in FileKey file, out Stateid4 stateid)
    {
        stateid = default;
        EnsureRecorded(open.Client);
        lock (open.Client.Sync)
        {
            Nfsstat4 status = CheckUsable(open, seqid, file);
            if (status != Nfsstat4.Ok)
                return status;
            if (open.Owner.IsConfirmed)
                return Nfsstat4.BadStateid;
            open.Owner.IsConfirmed = true;
            stateid = open.Advance();
            return Nfsstat4.Ok;
        }
    }

    /// <summary>OPEN_DOWNGRADE: RFC 7530 section 16.19.</summary>
    public static Nfsstat4 Downgrade(OpenState open, uint seqid, in FileKey file, ShareAccess access, ShareAccess deny, out Stateid4 stateid)
    {
        stateid = default;
        lock (open.Client.Sync)
        {
            Nfsstat4 status = CheckUsable(open, seqid, file);
            if (status != Nfsstat4.Ok)
                return status;
            lock (open.File)
                status = open.Downgrade(access, deny);
            if (status == Nfsstat4.Ok)
                stateid = open.Advance();
            return status;
        }
    }

    /// <summary>CLOSE: RFC 7530 section 16.2, RFC 8881 section 18.2. Locks that came by this open go with it.</summary>
    public Nfsstat4 Close(OpenState open, uint seqid, in FileKey file, out Stateid4 stateid)
    {
        stateid = default;
        NfsClient client = open.Client;
        lock (client.Sync)
        {
            Nfsstat4 status = CheckUsable(open, seqid, file);
            if (status != Nfsstat4.Ok)
                return status;
            stateid = client.MinorVersion == 0 ? open.Advance() : Stateid4.Invalid;
            OpenOwner owner = open.Owner;
            owner.Opens.Remove(open.File);
            owner.LastUse = Now;
            Drop(open, forget: client.MinorVersion > 0);
            if (client.MinorVersion > 0)
            {
                if (owner.Opens.Count == 0)
                    Remove(owner);
                return Nfsstat4.Ok;
            }
            if (owner.LastClosed is { } before)
                Forget(before);
            open.Status = StateStatus.Closed;
            owner.LastClosed = open;
            return Nfsstat4.Ok;
        }
    }

    /// <summary>Client's lock: an open, its share and its locks are no more. Its owner's table is the caller's business.</summary>
    private void Drop(OpenState open, bool forget = true)
    {
        while (open.Locks.Count > 0)
            Drop(open.Locks[^1]);
        lock (open.File)
        {
            open.File.Remove(open);
            ForgetIfIdle(open.File);
        }
        if (forget)
            Forget(open);
    }

    /// <summary>Client's lock: an owner is forgotten, with what it has open.</summary>
    private void Remove(OpenOwner owner)
    {
        owner.IsGone = true;
        owner.Client.OpenOwners.Remove(owner.Name);
        foreach (OpenState open in owner.Opens.Values)
            Drop(open);
        owner.Opens.Clear();
        if (owner.LastClosed is { } closed)
            Forget(closed);
    }

    /// <summary>Client's lock: whether an open can be worked with by this version of its stateid.</summary>
    private static Nfsstat4 CheckUsable(OpenState open, uint seqid, in FileKey file)
    {
        if (open.Status != StateStatus.Valid || open.Client.IsGone)
            return Nfsstat4.BadStateid;
        if (!file.Equals(open.File.Key))
            return Nfsstat4.BadStateid;
        return open.CheckSeqid(seqid, open.Client.MinorVersion > 0);
    }

    private static Nfsstat4 Exhausted(NfsClient client) => client.MinorVersion == 0 ? Nfsstat4.Resource : Nfsstat4.Delay;
}
