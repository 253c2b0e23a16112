namespace Kworker.Lockd.Locks;

/// <summary>
/// A file's locks of one kind: an interval tree that finds the first one in a range that is not of a given owner, in O(log n) however many
/// of that owner's stand there. For this each entry knows which lock below it ends last, and which of all other owners'.
/// </summary>
internal readonly struct FileTree : ILockTreeLinks
{
    public static ref LockEntry? Left(LockEntry entry) => ref entry.FileLeft;

    public static ref LockEntry? Right(LockEntry entry) => ref entry.FileRight;

    public static void Refresh(LockEntry entry)
    {
        entry.Last = entry;
        entry.LastOfOthers = null;
        if (entry.FileLeft is { } left)
        {
            Consider(entry, left.Last!);
            if (left.LastOfOthers is { } other)
                Consider(entry, other);
        }
        if (entry.FileRight is { } right)
        {
            Consider(entry, right.Last!);
            if (right.LastOfOthers is { } other)
                Consider(entry, other);
        }
    }

    public static void Added(LockEntry entry, LockEntry added) => Consider(entry, added);

    public static bool Concerns(LockEntry entry, LockEntry other) =>
        ReferenceEquals(entry.Last, other) || ReferenceEquals(entry.LastOfOthers, other);

    /// <summary>Of the locks in the range that are not the owner's, the one that begins first.</summary>
    public static LockEntry? FindFirst(LockEntry? root, LockRange range, OwnedLocks? except)
    {
        LockEntry? entry = root;
        while (entry is not null)
        {
            // If some lock on the left reaches the range, then the first one in the range, if there is any, stands on the left:
            // should it be that one's start that lies behind the range, all further to the right start there, too.
            if (entry.FileLeft is { } left && Reaches(left, range.Start, except))
                entry = left;
            else if (!ReferenceEquals(entry.Owner, except) && entry.Range.Overlaps(range))
                return entry;
            else if (entry.Range.Start > range.End)
                return null;
            else
                entry = entry.FileRight;
        }
        return null;
    }

    private static bool Reaches(LockEntry root, ulong start, OwnedLocks? except)
    {
        LockEntry? last = ReferenceEquals(root.Last!.Owner, except) ? root.LastOfOthers : root.Last;
        return last is not null && last.Range.End >= start;
    }

    private static void Consider(LockEntry entry, LockEntry candidate)
    {
        LockEntry last = entry.Last!;
        if (candidate.Range.End > last.Range.End)
        {
            if (!ReferenceEquals(candidate.Owner, last.Owner))
                entry.LastOfOthers = last;
            entry.Last = candidate;
        }
        else if (!ReferenceEquals(candidate.Owner, last.Owner)
            && (entry.LastOfOthers is not { } other || candidate.Range.End > other.Range.End))
        {
            entry.LastOfOthers = candidate;
        }
    }
}
