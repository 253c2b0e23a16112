namespace Kworker.Nfsd.State;

// The end of clients: leases, courtesy, and who asks for what a silent client holds.
internal sealed partial class NfsState
{
    private readonly DelayedWork<NfsState> _laundromat; // re-arms itself

    private TimeSpan LaundryInterval => TimeSpan.FromTicks(Math.Max(_options.Lease.Ticks / 4, TimeSpan.TicksPerMillisecond * 100));

    /// <summary>Whether a client has been silent for longer than its lease: it keeps what nobody else asks for.</summary>
    private bool IsLate(NfsClient client) => !client.IsActive && Now - client.LastSeen > _lease;

    /// <summary>
    /// Somebody wants what a client holds. If the client is silent, it loses all it has, here and now.
    /// </summary>
    /// <returns>Whether it is gone now.</returns>
    /// <remarks>To be called with no lock held. May wait for the record.</remarks>
    public bool TakeFromLate(NfsClient client)
    {
        if (!IsLate(client))
            return false;
        lock (_clients)
        {
            if (!IsLate(client) || !TryRemove(client))
                return false;
        }
        StateLog.Expired(_logger, client.ToString());
        Finish(client);
        return true;
    }

    /// <summary>
    /// The lease is over, and nobody has asked yet: the locks stay in the table, where who is refused can ask the client to give way, but not on local
    /// files, whose programs could not.
    /// </summary>
    private void Suspend(NfsClient client)
    {
        lock (client.Sync)
        {
            if (client.IsGone || client.IsSuspended)
                return;
            // Set before the second look: who comes back says so first, and looks at this then. One of the two sees the other.
            client.IsSuspended = true;
            Interlocked.MemoryBarrier();
            if (!IsLate(client))
            {
                client.IsSuspended = false;
                return;
            }
            using var blocking = Worker.Blocking();
            foreach (NfsLockOwner owner in client.LockOwners.Values)
                _locks.SuspendLocal(owner);
        }
    }

    /// <summary>A client that was suspended is heard of again. No lock held.</summary>
    /// <returns>False if a program of this machine has locked something of what it held: then it has lost all.</returns>
    public bool Resume(NfsClient client)
    {
        lock (client.Sync)
        {
            if (client.IsGone)
                return false;
            using var blocking = Worker.Blocking();
            if (!client.IsSuspended || client.LockOwners.Values.All(_locks.ResumeLocal))
            {
                client.IsSuspended = false;
                return true;
            }
        }
        lock (_clients)
        {
            if (!TryRemove(client))
                return false;
        }
        StateLog.Expired(_logger, client.ToString());
        Finish(client);
        return false;
    }

    /// <summary>_clients: nobody finds the client any more; <see cref="Finish"/> is due, outside the lock.</summary>
    /// <returns>False if it is gone already.</returns>
    private bool TryRemove(NfsClient client)
    {
        lock (client.Sync)
        {
            if (client.IsGone)
                return false;
            client.IsGone = true;
            foreach (Session session in client.Sessions)
                Destroy(session);
            client.Sessions.Clear();
        }
        _confirmed.Remove(client.Name);
        _byId.TryRemove(client.Id, out _);
        return true;
    }

    /// <summary>Takes what a removed client had: off the record first, so that it cannot reclaim after a crash what others get now.</summary>
    private void Finish(NfsClient? client)
    {
        if (client is null)
            return;
        Wait(_tracking.RemoveAsync(client.Tracked));
        lock (client.Sync)
        {
            DropNotices(client, long.MaxValue);
            foreach (OpenOwner owner in client.OpenOwners.Values)
            {
                owner.IsGone = true;
                foreach (OpenState open in owner.Opens.Values)
                    Drop(open);
                owner.Opens.Clear();
                if (owner.LastClosed is { } closed)
                    Forget(closed);
            }
            client.OpenOwners.Clear();
            foreach (NfsLockOwner owner in client.LockOwners.Values)
            {
                owner.IsGone = true;
                _locks.ReleaseOwner(owner);
                foreach (LockState locks in owner.Locks)
                    Forget(locks);
            }
            client.LockOwners.Clear();
        }
    }

    /// <summary>_clients: of clients that are silent or hold nothing, the one that has been for longest goes. False if there is none.</summary>
    private bool MakeRoom()
    {
        NfsClient? oldest = null;
        foreach (NfsClient client in _byId.Values)
        {
            if (IsLate(client) && (oldest is null || client.LastSeen < oldest.LastSeen))
                oldest = client;
        }
        if (oldest is null || !TryRemove(oldest))
            return false;
        // Its state goes by work: the record is not to be waited for under this lock.
        _queue.Queue(new Work<(NfsState State, NfsClient Client)>((this, oldest), static late => late.State.Finish(late.Client)));
        return true;
    }

    /// <summary>Looks through all clients (<c>nfs4_laundromat</c>).</summary>
    private void Launder()
    {
        var ended = new List<NfsClient>();
        var late = new List<NfsClient>();
        long now = Now;
        lock (_clients)
        {
            while (_unconfirmedByAge.First is { } oldest && now - oldest.Value.LastSeen > _lease)
                DropUnconfirmed(oldest.Value);
            foreach (NfsClient client in _byId.Values)
            {
                if (!IsLate(client))
                    continue;
                bool keeps = HoldsFiles(client) && now - client.LastSeen <= _lease + _courtesy && !IsWaitedFor(client);
                if (keeps)
                    late.Add(client);
                else if (TryRemove(client))
                    ended.Add(client);
            }
        }
        foreach (NfsClient client in ended)
        {
            StateLog.Expired(_logger, client.ToString());
            Finish(client);
        }
        late.ForEach(Suspend);
        foreach (NfsClient client in _byId.Values)
        {
            CollectOwners(client, now);
            lock (client.Sync)
                DropNotices(client, now - _lease);
        }
        _queue.Queue(_laundromat, LaundryInterval);
    }

    private static bool HoldsFiles(NfsClient client)
    {
        lock (client.Sync)
            return client.OpenOwners.Values.Any(static owner => owner.Opens.Count > 0);
    }

    /// <summary>Whether a request of another protocol waits for a lock of it (<c>nfs4_anylock_blockers</c>). One of NFSv4 waits by asking again.</summary>
    private bool IsWaitedFor(NfsClient client)
    {
        lock (client.Sync)
            return client.LockOwners.Values.Any(_locks.IsWaitedFor);
    }

    /// <summary>4.0: owners that have nothing open, and whose last CLOSE nobody will send again.</summary>
    private void CollectOwners(NfsClient client, long now)
    {
        List<OpenOwner>? idle = null;
        lock (client.Sync)
        {
            foreach (OpenOwner owner in client.OpenOwners.Values)
            {
                if (owner.Opens.Count == 0 && now - owner.LastUse > _lease)
                    (idle ??= []).Add(owner);
            }
            foreach (OpenOwner owner in idle ?? [])
                Remove(owner);
        }
    }
}
