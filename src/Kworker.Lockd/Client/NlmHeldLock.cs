using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Client;

/// <summary>A range that an owner holds, as far as this client knows; or that it held until the server lost it. Immutable but for that.</summary>
/// <param name="owner">Whose.</param>
/// <param name="kind">How.</param>
/// <param name="range">What.</param>
/// <param name="number">Its place in the order of granting, in which locks are reclaimed.</param>
[DebuggerDisplay("{Kind} {Range}, lost: {IsLost}")]
internal sealed class NlmHeldLock(NlmClientOwner owner, LockKind kind, LockRange range, long number)
{
    public NlmClientOwner Owner { get; } = owner;

    public LockKind Kind { get; } = kind;

    public LockRange Range { get; } = range;

    public long Number { get; } = number;

    /// <summary>The server did not give it back: somebody else may have held it since. Guarded by the host's lock.</summary>
    public bool IsLost { get; set; }
}
