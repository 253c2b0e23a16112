using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Nfsd.State;

/// <summary>Who locks: the owner of locks in the table that is shared with NLM.</summary>
[DebuggerDisplay("{Name}")]
internal sealed class NfsLockOwner(NfsState state, NfsClient client, OwnerName name) : LockOwner
{
    public NfsClient Client { get; } = client;

    public OwnerName Name { get; } = name;

    /// <summary>4.0 only.</summary>
    public OwnerSequence Sequence { get; } = new();

    /// <summary>Its stateids. Client's lock.</summary>
    public List<LockState> Locks { get; } = [];

    /// <inheritdoc/>
    public override bool GiveWay() => state.TakeFromLate(Client);

    /// <summary>It is no longer in its client's table. Client's lock.</summary>
    public bool IsGone { get; set; }
}
