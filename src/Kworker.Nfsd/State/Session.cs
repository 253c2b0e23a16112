using System.Diagnostics;
using Kworker.Nfsd.V4;
using Kworker.SunRpc;

namespace Kworker.Nfsd.State;

/// <summary>A session of 4.1: slots, each of which runs one request at a time and keeps its answer (RFC 8881 section 2.10).</summary>
[DebuggerDisplay("{Id}, {Slots.Length} slots")]
internal sealed class Session
{
    public const uint BackChannelFlag = 2; // CREATE_SESSION4_FLAG_CONN_BACK_CHAN
    private const int MaximumConnections = 64;

    private readonly List<(RpcConnection Connection, bool IsBack)> _connections = []; // under its own lock
    private (uint Program, RpcCredential Credential) _callback = (0, RpcCredential.None); // lock of _connections
    private volatile RpcConnection? _lastBound; // written under that lock: the one that the last request came by
    private volatile bool _isGone;

    public Session(NfsState state, NfsClient client, Sessionid4 id, uint flags, in ChannelLimits fore, in ChannelLimits back)
    {
        State = state;
        Client = client;
        Id = id;
        Flags = flags;
        Fore = fore;
        Back = back;
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

    /// <summary>The connection is the session's from now on, if it is not yet.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="asBackChannel">Whether the server may call by it, too.</param>
    public void Bind(RpcConnection connection, bool asBackChannel)
    {
        if (ReferenceEquals(_lastBound, connection) && !asBackChannel)
            return;
        lock (_connections)
        {
            _connections.RemoveAll(static bound => bound.Connection.IsClosed);
            int at = _connections.FindIndex(bound => bound.Connection == connection);
            bool isBack = asBackChannel || (at >= 0 && _connections[at].IsBack);
            if (at >= 0)
                _connections[at] = (connection, isBack);
            else if (_connections.Count < MaximumConnections)
                _connections.Add((connection, isBack));
            _lastBound = connection;
        }
    }

    /// <summary>A connection by which the client can be called; null if there is none.</summary>
    public RpcConnection? FindBackChannel()
    {
        lock (_connections)
            return _connections.FindLast(static bound => bound.IsBack && !bound.Connection.IsClosed).Connection;
    }
}
