using System.Collections.Concurrent;
using System.Security.Cryptography;
using Kworker.Nfsd.Tracking;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

// Who is known: SETCLIENTID, SETCLIENTID_CONFIRM, RENEW; what 4.1 shares of it.
internal sealed partial class NfsState
{
    private readonly Lock _clients = new();
    private readonly Dictionary<OwnerName, NfsClient> _confirmed = []; // _clients
    private readonly Dictionary<OwnerName, NfsClient> _unconfirmed = []; // _clients
    private readonly LinkedList<NfsClient> _unconfirmedByAge = new(); // _clients; oldest first
    private readonly Dictionary<ulong, NfsClient> _unconfirmedById = []; // _clients; a callback update has the id of a confirmed one
    private readonly ConcurrentDictionary<ulong, NfsClient> _byId = new(); // confirmed ones; written under _clients, read without
    private uint _lastClient; // _clients

    /// <summary>Clients that have confirmed.</summary>
    public int ClientCount => _byId.Count;

    /// <summary>SETCLIENTID: RFC 7530 section 16.33.</summary>
    /// <param name="name">What the client calls itself.</param>
    /// <param name="verifier">Which of its lives this is.</param>
    /// <param name="principal">As whom it speaks.</param>
    /// <param name="callback">Where to call it back.</param>
    /// <param name="client">The client that waits to be confirmed; of CLID_INUSE, the one that has the name.</param>
    public Nfsstat4 SetClientId(OwnerName name, ulong verifier, in Principal principal, CallbackAddress callback, out NfsClient? client)
    {
        lock (_clients)
        {
            NfsClient? confirmed = _confirmed.GetValueOrDefault(name);
            if (confirmed is not null && (confirmed.MinorVersion > 0 || confirmed.Principal != principal) && HasState(confirmed))
            {
                client = confirmed;
                return Nfsstat4.ClidInUse;
            }
            if (_unconfirmed.GetValueOrDefault(name) is { } before)
                DropUnconfirmed(before);
            // The same life again: it has a new place to be called back at, perhaps.
            ulong id = confirmed is { MinorVersion: 0 } && confirmed.Verifier == verifier ? confirmed.Id : NewClientId();
            client = new NfsClient(id, name.Copy(), verifier, principal, 0, Now) { Callback = callback, ConfirmVerifier = NewVerifier() };
            AddUnconfirmed(client);
        }
        return Nfsstat4.Ok;
    }

    /// <summary>SETCLIENTID_CONFIRM: RFC 7530 section 16.34.</summary>
    public Nfsstat4 ConfirmClientId(ulong id, ulong verifier, in Principal principal)
    {
        if (IsOfOtherStart(id))
            return Nfsstat4.StaleClientid;
        NfsClient? replaced = null;
        Nfsstat4 status;
        lock (_clients)
        {
            NfsClient? confirmed = _byId.GetValueOrDefault(id);
            NfsClient? unconfirmed = _unconfirmedById.GetValueOrDefault(id);
            if ((unconfirmed is not null && unconfirmed.Principal != principal) || (confirmed is not null && confirmed.Principal != principal))
                return Nfsstat4.ClidInUse;
            if (unconfirmed is null || unconfirmed.ConfirmVerifier != verifier)
                return confirmed is not null && confirmed.ConfirmVerifier == verifier ? Nfsstat4.Ok : Nfsstat4.StaleClientid;
            if (confirmed is not null)
            {
                DropUnconfirmed(unconfirmed);
                confirmed.Callback = unconfirmed.Callback;
                confirmed.Renew(Now);
                return Nfsstat4.Ok;
            }
            if (_confirmed.GetValueOrDefault(unconfirmed.Name) is { } old)
            {
                if (old.Principal != unconfirmed.Principal && HasState(old))
                    return Nfsstat4.ClidInUse;
                if (!TryRemove(old))
                    return Nfsstat4.Delay;
                replaced = old;
            }
            status = Confirm(unconfirmed);
        }
        Finish(replaced);
        return status;
    }

    /// <summary>4.0: the client of an id, its lease begun anew.</summary>
    /// <returns>OK; STALE_CLIENTID for an id of another start of the server; EXPIRED for one that is no longer known.</returns>
    public Nfsstat4 Find(ulong id, out NfsClient? client)
    {
        client = null;
        if (IsOfOtherStart(id))
            return Nfsstat4.StaleClientid;
        if (!_byId.TryGetValue(id, out client) || client.MinorVersion > 0)
        {
            client = null;
            return Nfsstat4.Expired;
        }
        return Revive(client) ? Nfsstat4.Ok : Nfsstat4.Expired;
    }

    /// <summary>The client is heard of.</summary>
    /// <returns>False if it is gone: what it held was taken while it was silent.</returns>
    public bool Revive(NfsClient client)
    {
        client.Renew(Now);
        return !client.IsSuspended || Resume(client);
    }

    /// <summary>RENEW: RFC 7530 section 16.28.</summary>
    public Nfsstat4 Renew(ulong id) => Find(id, out _);

    /// <summary>The record: clients that it should hold.</summary>
    private List<TrackedClient> ActiveClients() => [.. _byId.Values.Where(static client => client.IsRecordAsked).Select(static client => client.Tracked)];

    private bool IsOfOtherStart(ulong id) => (uint)(id >> 32) != _boot;

    /// <summary>_clients: an id that was never given out.</summary>
    private ulong NewClientId() => (ulong)_boot << 32 | ++_lastClient;

    private static ulong NewVerifier()
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(bytes);
        return BitConverter.ToUInt64(bytes);
    }

    /// <summary>_clients: one that has yet to confirm; of too many the oldest goes.</summary>
    private void AddUnconfirmed(NfsClient client)
    {
        if (_unconfirmedByAge.Count >= _options.MaximumUnconfirmed)
            DropUnconfirmed(_unconfirmedByAge.First!.Value);
        _unconfirmed.Add(client.Name, client);
        _unconfirmedById.Add(client.Id, client);
        _unconfirmedByAge.AddLast(client);
    }

    private void DropUnconfirmed(NfsClient client)
    {
        _unconfirmed.Remove(client.Name);
        _unconfirmedById.Remove(client.Id);
        _unconfirmedByAge.Remove(client);
    }

    /// <summary>_clients: the client is one from now on. There is no other of its name.</summary>
    private Nfsstat4 Confirm(NfsClient client)
    {
        if (_byId.Count >= _options.MaximumClients && !MakeRoom())
            return client.MinorVersion == 0 ? Nfsstat4.Resource : Nfsstat4.Delay;
        DropUnconfirmed(client);
        client.IsConfirmed = true;
        client.Renew(Now);
        _confirmed.Add(client.Name, client);
        _byId[client.Id] = client;
        return Nfsstat4.Ok;
    }

    private static bool HasState(NfsClient client)
    {
        lock (client.Sync)
            return client.HasState;
    }
}
