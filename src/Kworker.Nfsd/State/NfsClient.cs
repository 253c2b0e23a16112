using System.Diagnostics;
using System.Text;
using Kworker.Lockd.Locks;
using Kworker.Nfsd.Tracking;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.State;

/// <summary>A client, that is one life of a client machine: what it holds, and when it was heard of last (<c>nfs4_client</c>).</summary>
/// <remarks>
/// <see cref="Sync"/> is "the client's lock" of all that belongs to it: owners, states, sessions. It is taken inside the lock of <see cref="NfsState"/>'s
/// clients and outside a file's; never two clients' at once.
/// </remarks>
[DebuggerDisplay("{Id}, 4.{MinorVersion}, {Name}")]
internal sealed class NfsClient
{
    private readonly Dictionary<OwnerName, OpenOwner> _openOwners = []; // Sync
    private readonly Dictionary<OwnerName, NfsLockOwner> _lockOwners = []; // Sync
    private readonly List<Session> _sessions = []; // Sync
    private long _lastSeen; // a timestamp; written by whoever serves the client, without lock
    private int _calls; // compounds that run; interlocked
    private volatile bool _isGone;
    private volatile bool _isConfirmed;
    private volatile bool _reclaimComplete;
    private volatile bool _isRecordAsked;
    private volatile bool _isSuspended;

    public NfsClient(ulong id, OwnerName name, ulong verifier, in Principal principal, uint minorVersion, long now)
    {
        Id = id;
        Name = name;
        Verifier = verifier;
        Principal = principal;
        MinorVersion = minorVersion;
        _lastSeen = now;
        Tracked = new TrackedClient(name.Bytes.Span, minorVersion > 0);
    }

    /// <summary>Guards what the remarks say.</summary>
    public Lock Sync { get; } = new();

    /// <summary><c>clientid4</c>: the server's start in the upper half, a number in the lower.</summary>
    public ulong Id { get; }

    public OwnerName Name { get; }

    /// <summary>What tells this life of the client from its others.</summary>
    public ulong Verifier { get; }

    public Principal Principal { get; }

    public uint MinorVersion { get; }

    /// <summary>The record of it on stable storage.</summary>
    public TrackedClient Tracked { get; }

    /// <summary>4.0: what SETCLIENTID_CONFIRM must bring.</summary>
    public ulong ConfirmVerifier { get; init; }

    /// <summary>4.0: where to call back. Written under the lock of the clients.</summary>
    public CallbackAddress? Callback { get; set; }

    /// <summary>4.1: the number of the last CREATE_SESSION, and what it was answered. Lock of the clients.</summary>
    public uint CreateSequence { get; set; }

    /// <inheritdoc cref="CreateSequence"/>
    public CreatedSession? LastCreated { get; set; }

    /// <summary>Whether it has shown that it hears our answers. Written under the lock of the clients.</summary>
    public bool IsConfirmed
    {
        get => _isConfirmed;
        set => _isConfirmed = value;
    }

    /// <summary>It is no longer in the tables: nothing may be added to it. Written under <see cref="Sync"/>.</summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    /// <summary>4.1: it has said that it reclaims nothing more.</summary>
    public bool ReclaimComplete
    {
        get => _reclaimComplete;
        set => _reclaimComplete = value;
    }

    /// <summary>The record has been asked to hold it, and has answered. Set by whoever asked.</summary>
    public bool IsRecordAsked
    {
        get => _isRecordAsked;
        set => _isRecordAsked = value;
    }

    /// <summary>Its locks are not on local files any more, since its lease is over: <see cref="NfsState.Resume"/> before anything is done for it. Written under <see cref="Sync"/>.</summary>
    public bool IsSuspended
    {
        get => _isSuspended;
        set => _isSuspended = value;
    }

    public Dictionary<OwnerName, OpenOwner> OpenOwners => _openOwners;

    public Dictionary<OwnerName, NfsLockOwner> LockOwners => _lockOwners;

    public List<Session> Sessions => _sessions;

    /// <summary>4.1: owners that are to be told when a lock is free, one a file. Under <see cref="Sync"/>.</summary>
    public Dictionary<(LockFileKey File, OwnerName Owner), LockNotice> Notices { get; } = [];

    /// <summary>States of it in the table. Under <see cref="Sync"/>.</summary>
    public int StateCount { get; set; }

    /// <summary>States that were taken from it and that it has not acknowledged yet (4.1). Under <see cref="Sync"/>.</summary>
    public int RevokedCount { get; set; }

    /// <summary>Whether it would lose something (<c>client_has_state</c>). Under <see cref="Sync"/>.</summary>
    public bool HasState => _openOwners.Values.Any(static owner => owner.Opens.Count > 0) || _sessions.Count > 0;

    /// <summary>When it was heard of last; a timestamp of the server's clock.</summary>
    public long LastSeen => Volatile.Read(ref _lastSeen);

    /// <summary>Whether a compound of it runs.</summary>
    public bool IsActive => Volatile.Read(ref _calls) > 0;

    /// <summary>Its lease begins anew. What is read after this is not read before: see <see cref="IsSuspended"/>.</summary>
    public void Renew(long now) => Interlocked.Exchange(ref _lastSeen, now);

    /// <summary>A compound begins: until it ends the client is not late.</summary>
    public void Enter(long now)
    {
        Interlocked.Increment(ref _calls);
        Renew(now);
    }

    /// <summary>It has ended.</summary>
    public void Leave(long now)
    {
        Renew(now);
        Interlocked.Decrement(ref _calls);
    }

    public override string ToString() => $"{Id:x16} ({Encoding.Latin1.GetString(Name.Bytes.Span)})";
}

/// <summary>What CREATE_SESSION answers.</summary>
internal sealed record CreatedSession(Sessionid4 Id, uint Sequence, uint Flags, ChannelLimits Fore, ChannelLimits Back);
