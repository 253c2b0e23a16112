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
    private bool TakeFromLate(NfsClient client)
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
        long now = Now;
        lock (_clients)
        {
            while (_unconfirmedByAge.First is { } oldest && now - oldest.Value.LastSeen > _lease)
                DropUnconfirmed(oldest.Value);
            foreach (NfsClient client in _byId.Values)
            {
                if (!IsLate(client))
                    continue;
                bool keeps = HoldsFiles(client) && now - client.LastSeen <= _lease + _courtesy;
                if (!keeps && TryRemove(client))
                    ended.Add(client);
            }
        }
        foreach (NfsClient client in ended)
        {
            StateLog.Expired(_logger, client.ToString());
            Finish(client);
        }
        foreach (NfsClient client in _byId.Values)
            CollectOwners(client, now);
        _queue.Queue(_laundromat, LaundryInterval);
    }

    private static bool HoldsFiles(NfsClient client)
    {
        lock (client.Sync)
            return client.OpenOwners.Values.Any(static owner => owner.Opens.Count > 0);
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
