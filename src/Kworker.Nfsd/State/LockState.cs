namespace Kworker.Nfsd.State;

/// <summary>The locks that one owner has in one file by one open. The locks themselves are in the lock table.</summary>
internal sealed class LockState(NfsLockOwner owner, OpenState open, uint number) : StateObject(open.Client, open.File, number)
{
    public NfsLockOwner Owner { get; } = owner;

    /// <summary>The open that allows to lock; its access is what may be done with this stateid, too.</summary>
    public OpenState Open { get; } = open;
}
