using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Nlm;

/// <summary>Which request of a host it is: what a client names when it asks again, or cancels.</summary>
internal readonly record struct NlmBlockKey(LockFileKey File, int Svid, LockKind Kind, LockRange Range);

/// <summary>Where a request that waits stands.</summary>
internal enum NlmBlockState
{
    /// <summary>Given to the table; whether it waits is not known yet.</summary>
    New,

    /// <summary>It waits in the table.</summary>
    Waiting,

    /// <summary>The table took the lock for it; the client is being told.</summary>
    Granted,

    /// <summary>Nothing is to be done for it any more; it is not among the host's.</summary>
    Done,
}

/// <summary>
/// A request for a lock that waits (<c>struct nlm_block</c>).
/// <code>
/// New ──> Waiting ──> Granted ──> Done
///   └────────┴───────────┴──────────┘
/// </code>
/// All transitions are made under the host's lock: to Waiting by the call that made it; to Granted by the table; to Done by the answer to GRANTED, by the
/// client that asks again, unlocks or cancels, or with the end of its owner.
/// </summary>
[DebuggerDisplay("{State}: {Key}")]
internal sealed class NlmBlock : BlockedLock
{
    private readonly NlmServer _server;

    public NlmBlock(NlmServer server, NlmOwner owner, in NlmBlockKey key, uint version, in Nlm4Lock asked)
        : base(key.File, owner, key.Kind, key.Range)
    {
        _server = server;
        Key = key;
        Version = version;
        // The request's bytes are gone with the call.
        Asked = asked with { CallerName = default, Fh = asked.Fh.ToArray(), Oh = asked.Oh.ToArray() };
        Granting = new DelayedWork<NlmBlock>(this, static (block, cancellation) => block._server.GrantAsync(block, cancellation));
    }

    public new NlmOwner Owner => (NlmOwner)base.Owner;

    public NlmHost Host => Owner.Host;

    public NlmBlockKey Key { get; }

    /// <summary>The version of the protocol that it came by.</summary>
    public uint Version { get; }

    /// <summary>What the client asked for, to be told that it has it; without its name.</summary>
    public Nlm4Lock Asked { get; }

    /// <summary>Tells the client that it has the lock, and arms itself again until it has answered.</summary>
    public DelayedWork<NlmBlock> Granting { get; }

    /// <summary>Guarded by the host's lock.</summary>
    public NlmBlockState State { get; set; }

    /// <summary>Whether GRANTED may have reached the client without its answer reaching us. Only <see cref="Granting"/> uses it.</summary>
    public bool MayBeKnown { get; set; }

    /// <summary>When the table took the lock, as the clock's time stamp. Set before <see cref="Granting"/> is queued first.</summary>
    public long GrantedAt { get; set; }

    protected internal override void OnGranted() => _server.Granted(this);

    // There is no word for it once a client waits: it hears it when it asks again, as clients do now and then.
    protected internal override void OnDeadlock() => NlmServer.Finish(this);

    protected internal override void OnReleased() => NlmServer.Finish(this);
}
