using System.Collections.Concurrent;
using Kworker.Nfsd.V4;
using Kworker.SunRpc;

namespace Kworker.Nfsd.State;

// 4.1: EXCHANGE_ID, CREATE_SESSION, SEQUENCE and the end of sessions and clients.
internal sealed partial class NfsState
{
    /// <summary>The shortest message in which something can be done.</summary>
    private const uint SmallestMessage = 128;

    private readonly ConcurrentDictionary<Sessionid4, Session> _sessions = new(); // written under the client's lock, read without

    /// <summary>Sessions that there are.</summary>
    public int SessionCount => _sessions.Count;

    /// <summary>EXCHANGE_ID: RFC 8881 section 18.35, the cases of its table by number.</summary>
    /// <param name="name">What the client calls itself.</param>
    /// <param name="verifier">Which of its lives this is.</param>
    /// <param name="principal">As whom it speaks.</param>
    /// <param name="update">Whether it has confirmed before, and changes its record.</param>
    /// <param name="client">The client.</param>
    public Nfsstat4 ExchangeId(OwnerName name, ulong verifier, in Principal principal, bool update, out NfsClient? client)
    {
        client = null;
        NfsClient? replaced = null;
        lock (_clients)
        {
            if (_confirmed.GetValueOrDefault(name) is { } confirmed)
            {
                bool isSamePrincipal = confirmed.Principal == principal;
                bool isSameLife = confirmed.Verifier == verifier;
                if (update)
                {
                    if (confirmed.MinorVersion == 0)
                        return Nfsstat4.Inval;
                    if (!isSamePrincipal)
                        return Nfsstat4.Perm; // 9
                    if (!isSameLife)
                        return Nfsstat4.NotSame; // 8
                    client = confirmed; // 6
                    return Nfsstat4.Ok;
                }
                if (!isSamePrincipal)
                {
                    if (HasState(confirmed) && !IsLate(confirmed))
                        return Nfsstat4.ClidInUse; // 3
                    if (!TryRemove(confirmed))
                        return Nfsstat4.Delay;
                    replaced = confirmed;
                }
                else if (isSameLife && confirmed.MinorVersion > 0)
                {
                    client = confirmed; // 2
                    return Nfsstat4.Ok;
                }
                // 5: another life. What the old one had goes when this one confirms.
            }
            else if (update)
            {
                return Nfsstat4.NoEnt; // 7
            }
            if (_unconfirmed.GetValueOrDefault(name) is { } before)
                DropUnconfirmed(before); // 4
            client = new NfsClient(NewClientId(), name.Copy(), verifier, principal, 1, Now) { CreateSequence = 0 };
            AddUnconfirmed(client);
        }
        Finish(replaced);
        return Nfsstat4.Ok;
    }

    /// <summary>CREATE_SESSION: RFC 8881 section 18.36.</summary>
    /// <param name="id">The client.</param>
    /// <param name="sequence">The number of this request among the client's CREATE_SESSIONs.</param>
    /// <param name="flags">What the client asks for.</param>
    /// <param name="fore">What it wants for its requests.</param>
    /// <param name="back">What it wants for ours.</param>
    /// <param name="callbackProgram">The program to call back.</param>
    /// <param name="callbackCredential">As whom to call it.</param>
    /// <param name="principal">As whom it speaks.</param>
    /// <param name="created">What to answer if OK.</param>
    /// <param name="session">The session, if it is new; null for a retry.</param>
    public Nfsstat4 CreateSession(
        ulong id, uint sequence, uint flags, ChannelLimits fore, ChannelLimits back, uint callbackProgram, RpcCredential callbackCredential,
        in Principal principal, out CreatedSession? created, out Session? session)
    {
        created = null;
        session = null;
        NfsClient? replaced = null;
        // What cannot be granted to anybody has no number used up, as with Linux: a client comes again by the same one, and asks for more.
        Nfsstat4 status = Negotiate(ref fore, ref back);
        if (status != Nfsstat4.Ok)
            return status;
        lock (_clients)
        {
            NfsClient? confirmed = _byId.GetValueOrDefault(id);
            NfsClient? client = confirmed ?? _unconfirmedById.GetValueOrDefault(id);
            if (client is null || client.MinorVersion == 0)
                return Nfsstat4.StaleClientid;
            if (client.LastCreated is { } last && sequence == client.CreateSequence)
            {
                created = last;
                return Nfsstat4.Ok;
            }
            if (sequence != unchecked(client.CreateSequence + 1))
                return Nfsstat4.SeqMisordered;
            if (client.Principal != principal)
                return confirmed is null ? Nfsstat4.ClidInUse : Nfsstat4.Access;
            if (confirmed is null)
            {
                if (_confirmed.GetValueOrDefault(client.Name) is { } old)
                {
                    // A client's former life, or the same client with 4.0 before.
                    if (!TryRemove(old))
                        return Nfsstat4.Delay;
                    replaced = old;
                }
                status = Confirm(client);
            }
            if (status == Nfsstat4.Ok)
                status = AddSession(client, flags, fore, back, out session);
            // The only error from here on is DELAY: who is to come again comes by the same number, as Linux's client.
            if (session is not null)
            {
                session.SetCallback(callbackProgram, callbackCredential);
                client.CreateSequence = sequence;
                created = client.LastCreated = new CreatedSession(session.Id, sequence, session.Flags, fore, back);
            }
        }
        Finish(replaced);
        return status;
    }

    /// <summary>The session of an id, for SEQUENCE.</summary>
    public bool TryFindSession(Sessionid4 id, out Session session) => _sessions.TryGetValue(id, out session!) && !session.IsGone;

    /// <summary>What SEQUENCE tells of the client's state and of our way to call it: <c>SEQ4_STATUS_*</c>.</summary>
    public static uint StatusOf(Session session)
    {
        const uint pathDown = 0x1, revoked = 0x40, sessionPathDown = 0x200, fault = 0x400;
        NfsClient client = session.Client;
        uint status = client.RevokedCount > 0 ? revoked : 0;
        if (session.Callbacks.IsFaulty)
            status |= fault;
        if (!session.WantsCalls || session.FindBackChannel() is not null)
            return status;
        status |= sessionPathDown;
        lock (client.Sync)
            return client.Sessions.Exists(static other => other.FindBackChannel() is not null) ? status : status | pathDown;
    }

    /// <summary>DESTROY_SESSION: RFC 8881 section 18.37.</summary>
    /// <param name="id">The session.</param>
    /// <param name="isOwn">Whether the request runs in it.</param>
    public Nfsstat4 DestroySession(Sessionid4 id, bool isOwn)
    {
        if (!TryFindSession(id, out Session session))
            return Nfsstat4.BadSession;
        if (session.RunningCount > (isOwn ? 1 : 0))
            return Nfsstat4.Delay;
        lock (session.Client.Sync)
        {
            if (!session.Client.Sessions.Remove(session))
                return Nfsstat4.BadSession;
            Destroy(session);
        }
        return Nfsstat4.Ok;
    }

    /// <summary>DESTROY_CLIENTID: RFC 8881 section 18.50.</summary>
    public Nfsstat4 DestroyClientId(ulong id)
    {
        NfsClient? client;
        lock (_clients)
        {
            if (_byId.TryGetValue(id, out client))
            {
                // 4.0 knows no such end: its client would find itself gone.
                if (client.MinorVersion == 0)
                    return Nfsstat4.StaleClientid;
                if (HasState(client))
                    return Nfsstat4.ClientidBusy;
                if (!TryRemove(client))
                    return Nfsstat4.StaleClientid;
            }
            else
            {
                if (_unconfirmedById.GetValueOrDefault(id) is not { MinorVersion: > 0 } unconfirmed)
                    return Nfsstat4.StaleClientid;
                DropUnconfirmed(unconfirmed);
            }
        }
        Finish(client);
        return Nfsstat4.Ok;
    }

    /// <summary>What of a client's wishes is granted.</summary>
    private Nfsstat4 Negotiate(ref ChannelLimits fore, ref ChannelLimits back)
    {
        if (fore.MaxRequest < SmallestMessage || fore.MaxResponse < SmallestMessage || back.MaxRequest < SmallestMessage || back.MaxResponse < SmallestMessage)
            return Nfsstat4.TooSmall;
        if (fore.MaxRequests == 0 || fore.MaxOperations == 0 || back.MaxRequests == 0 || back.MaxOperations == 0)
            return Nfsstat4.Inval;
        fore = new ChannelLimits(
            0,
            Math.Min(fore.MaxRequest, (uint)_options.MaximumMessage),
            Math.Min(fore.MaxResponse, (uint)_options.MaximumMessage),
            Math.Min(fore.MaxResponseCached, (uint)_options.MaximumCachedReply),
            Math.Min(fore.MaxOperations, (uint)_options.MaximumOperations),
            Math.Min(fore.MaxRequests, (uint)_options.MaximumSlots));
        back = back with { HeaderPadding = 0 };
        return Nfsstat4.Ok;
    }

    private Nfsstat4 AddSession(
        NfsClient client, uint flags, in ChannelLimits fore, in ChannelLimits back, out Session? session)
    {
        session = null;
        lock (client.Sync)
        {
            if (client.Sessions.Count >= _options.MaximumSessions)
                return Nfsstat4.Delay;
            // Persistence (1) is not offered, RDMA (4) neither; the connection may be used for the back channel (2).
            // Half of its name is chance: who has not seen it cannot use or destroy it.
            var id = new Sessionid4(client.Id, NewVerifier());
            session = new Session(this, client, id, flags & Session.BackChannelFlag, fore, back);
            client.Sessions.Add(session);
            _sessions[id] = session;
            client.Renew(Now);
            return Nfsstat4.Ok;
        }
    }

    /// <summary>Client's lock: nobody finds the session any more. Requests that run in it end as usual.</summary>
    private void Destroy(Session session)
    {
        session.IsGone = true;
        session.Callbacks.Cancel();
        _sessions.TryRemove(session.Id, out _);
    }
}
