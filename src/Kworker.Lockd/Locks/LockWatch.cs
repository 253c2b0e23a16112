using System.Diagnostics;

namespace Kworker.Lockd.Locks;

/// <summary>
/// Somebody who was refused a lock, asks again by himself, and wants to hear when that is worth it: nothing is held for him, and nobody counts as waiting
/// for him. An object is for one refusal.
/// </summary>
/// <remarks>It is told once, and then watches no more; or never, if it is taken back.</remarks>
[DebuggerDisplay("{Owner} watches {Kind} {Range}")]
internal abstract class LockWatch(LockFileKey file, LockOwner owner, LockKind kind, LockRange range)
{
    /// <summary>The file.</summary>
    public LockFileKey File { get; } = file;

    /// <summary>Who wants the lock: what he holds himself is not in his way.</summary>
    public LockOwner Owner { get; } = owner;

    /// <summary>What it lets others do.</summary>
    public LockKind Kind { get; } = kind;

    /// <summary>What it covers.</summary>
    public LockRange Range { get; } = range;

    /// <summary>The lock in its way; null while it is a local program's. Guarded by the file's lock.</summary>
    internal LockEntry? Blocker { get; set; }

    /// <summary>
    /// Nothing is in the way any more, at this moment. Called under the file's lock, by who let go: it must do no more than queue work.
    /// </summary>
    protected internal abstract void OnFree();
}
