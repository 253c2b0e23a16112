using System.Diagnostics;
using Kworker.Nfsd.V4;
using Kworker.SunRpc;

namespace Kworker.Nfsd.State;

/// <summary>A session of 4.1: slots, each of which runs one request at a time and keeps its answer (RFC 8881 section 2.10).</summary>
[DebuggerDisplay("{Id}, {Slots.Length} slots")]
internal sealed class Session
{
    public const uint BackChannelFlag = 2; // CREATE_SESSION4_FLAG_CONN_BACK_CHAN
    private const int MaximumConnections = 16;

    private readonly List<RpcConnection> _connections = []; // by which the client may be called; under its own lock
    private (uint Program, RpcCredential Credential) _callback = (0, RpcCredential.None); // lock of _connections
    private volatile RpcConnection? _lastBound; // of _connections; written under that lock
    private volatile bool _wantsCalls;
    private volatile bool _isGone;

    public Session(NfsState state, NfsClient client, Sessionid4 id, uint flags, in ChannelLimits fore, in ChannelLimits back)
    {
        State = state;
        Client = client;
        Id = id;
        Flags = flags;
        Fore = fore;
        Back = back;
        _wantsCalls = HasBackChannel;
        Callbacks = new BackChannel(this);
        Slots = new SessionSlot[fore.MaxRequests];
        for (int i = 0; i < Slots.Length; i++)
            Slots[i] = new SessionSlot(this, (uint)i);
    }

    public NfsState State { get; }

    public NfsClient Client { get; }

    public Sessionid4 Id { get; }

    /// <summary><c>CREATE_SESSION4_FLAG_*</c> as granted.</summary>
    public uint Flags { get; }

    public ChannelLimits Fore { get; }

    public ChannelLimits Back { get; }

    public SessionSlot[] Slots { get; }

    /// <summary>It was destroyed. Written under the client's lock.</summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>Requests that run in its slots, at the moment of the look.</summary>
    public int RunningCount => Slots.Count(static slot => slot.IsBusy);

    /// <summary>Whether the connection that made the session is to carry the server's calls, too.</summary>
    public bool HasBackChannel => (Flags & BackChannelFlag) != 0;

    /// <summary>Whether the client has asked to be called, by whatever connection.</summary>
    public bool WantsCalls => _wantsCalls;

    /// <summary>What it is called for.</summary>
    public BackChannel Callbacks { get; }

    /// <summary>How to call the client back.</summary>
    public (uint Program, RpcCredential Credential) Callback
    {
        get
        {
            lock (_connections)
                return _callback;
        }
    }

    /// <summary>Says how to call the client back: CREATE_SESSION, BACKCHANNEL_CTL.</summary>
    public void SetCallback(uint program, RpcCredential credential)
    {
        lock (_connections)
            _callback = (program, credential);
    }

    /// <summary>The client may be called by this connection from now on, before all others.</summary>
    public void Bind(RpcConnection connection)
    {
        lock (_connections)
        {
            _connections.RemoveAll(bound => bound.IsClosed || bound == connection);
            if (_connections.Count == MaximumConnections)
                _connections.RemoveAt(0);
            _connections.Add(connection);
            _lastBound = connection;
            _wantsCalls = true;
        }
    }

    /// <summary>Where its connections that are open come from.</summary>
    public string[] RemoteAddresses
    {
        get
        {
            lock (_connections)
                return [.. _connections.Where(static bound => !bound.IsClosed).Select(static bound => bound.RemoteEndPoint.Address.ToString())];
        }
    }

    /// <summary>The client is not called by this connection any more, until it binds it anew.</summary>
    public void Unbind(RpcConnection connection)
    {
        lock (_connections)
        {
            _connections.Remove(connection);
            if (_lastBound == connection)
                _lastBound = _connections.LastOrDefault();
        }
    }

    /// <summary>A connection by which the client can be called; null if there is none. Takes no lock while the last one that was bound is open.</summary>
    public RpcConnection? FindBackChannel()
    {
        RpcConnection? last = _lastBound;
        if (last is null || !last.IsClosed)
            return last;
        lock (_connections)
        {
            _connections.RemoveAll(static bound => bound.IsClosed);
            return _lastBound = _connections.LastOrDefault();
        }
    }
}
