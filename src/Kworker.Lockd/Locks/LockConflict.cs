namespace Kworker.Lockd.Locks;

/// <summary>A lock that stands in the way: of those that do, the one that begins first.</summary>
/// <param name="Owner">Who holds it; null for a program of this machine, which holds it on the local file.</param>
/// <param name="LocalPid">That program's process; 0 if the kernel does not tell, or <paramref name="Owner"/> is given.</param>
/// <param name="Kind">What it lets others do.</param>
/// <param name="Range">What it covers.</param>
internal readonly record struct LockConflict(LockOwner? Owner, int LocalPid, LockKind Kind, LockRange Range)
{
    /// <summary>The process, as NLM tells others.</summary>
    public int Svid => Owner?.Svid ?? LocalPid;
}
