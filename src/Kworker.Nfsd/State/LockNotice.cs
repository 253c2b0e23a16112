using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Nfsd.State;

/// <summary>A lock owner of 4.1 that was refused a lock for which its client asks again: the client is told when that is worth it (<c>nfsd4_blocked_lock</c>).</summary>
[DebuggerDisplay("{Name} of {Session}")]
internal sealed class LockNotice(
    Session session, LockState locks, ReadOnlyMemory<byte> handle, LockKind kind, LockRange range, long now)
    : LockWatch(locks.File.Locks, locks.Owner, kind, range)
{
    /// <summary>Where the client asked, and is told.</summary>
    public Session Session { get; } = session;

    /// <summary>What the client calls the owner, by which it knows who waits; the owner itself may be forgotten meanwhile.</summary>
    public OwnerName Name { get; } = locks.Owner.Name;

    /// <summary>The file's handle as the client knows it.</summary>
    public ReadOnlyMemory<byte> Handle { get; } = handle;

    /// <summary>When the client asked last; a timestamp.</summary>
    public long AskedAt { get; } = now;

    /// <inheritdoc/>
    protected internal override void OnFree() => Session.Callbacks.Tell(this);
}
