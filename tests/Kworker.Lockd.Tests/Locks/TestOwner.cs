using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Tests.Locks;

internal sealed class TestOwner(int number) : LockOwner
{
    public override int Svid => number;

    public override string ToString() => $"owner {number}";
}

/// <summary>A request that keeps what it is told.</summary>
internal sealed class TestRequest(LockFileKey file, LockOwner owner, LockKind kind, LockRange range, Action<TestRequest>? told = null)
    : BlockedLock(file, owner, kind, range)
{
    public Completion Told { get; } = new();

    public bool IsGranted { get; private set; }

    public bool IsDeadlock { get; private set; }

    public bool IsReleased { get; private set; }

    protected internal override void OnGranted()
    {
        IsGranted = true;
        Tell();
    }

    protected internal override void OnDeadlock()
    {
        IsDeadlock = true;
        Tell();
    }

    protected internal override void OnReleased()
    {
        IsReleased = true;
        Tell();
    }

    private new void Tell()
    {
        told?.Invoke(this);
        Told.CompleteAll();
    }
}
