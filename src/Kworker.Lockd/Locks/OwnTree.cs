namespace Kworker.Lockd.Locks;

/// <summary>
/// The locks of one owner in one file. They are disjoint: the order by start is one by end, too, and nothing more need be known to search.
/// </summary>
internal readonly struct OwnTree : ILockTreeLinks
{
    public static ref LockEntry? Left(LockEntry entry) => ref entry.OwnLeft;

    public static ref LockEntry? Right(LockEntry entry) => ref entry.OwnRight;

    public static void Refresh(LockEntry entry)
    {
    }

    public static void Added(LockEntry entry, LockEntry added)
    {
    }

    public static bool Concerns(LockEntry entry, LockEntry other) => false;
}
