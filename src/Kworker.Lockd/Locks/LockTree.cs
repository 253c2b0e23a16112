namespace Kworker.Lockd.Locks;

/// <summary>Which links of an entry a tree uses, and what it keeps about what hangs below.</summary>
internal interface ILockTreeLinks
{
    static abstract ref LockEntry? Left(LockEntry entry);

    static abstract ref LockEntry? Right(LockEntry entry);

    /// <summary>What hangs below the entry has changed.</summary>
    static abstract void Refresh(LockEntry entry);

    /// <summary>The other has come to hang somewhere below the entry; all else is as it was.</summary>
    static abstract void Added(LockEntry entry, LockEntry added);

    /// <summary>Whether what is kept about what hangs below the entry names the other.</summary>
    static abstract bool Concerns(LockEntry entry, LockEntry other);
}

/// <summary>A treap of locks. Adding and removing take expected O(log n); so deep is the recursion, too.</summary>
internal static class LockTree<TLinks>
    where TLinks : struct, ILockTreeLinks
{
    public static void Add(ref LockEntry? root, LockEntry added)
    {
        ulong rank = added.Rank;
        ref LockEntry? place = ref root;
        while (place is { } entry && entry.Rank > rank)
        {
            TLinks.Added(entry, added);
            place = ref added.IsBefore(entry) ? ref TLinks.Left(entry) : ref TLinks.Right(entry);
        }
        Split(place, added, out TLinks.Left(added), out TLinks.Right(added));
        TLinks.Refresh(added);
        place = added;
    }

    /// <summary>The entry is in the tree.</summary>
    public static void Remove(ref LockEntry? root, LockEntry removed)
    {
        if (ReferenceEquals(root, removed))
        {
            root = Join(TLinks.Left(removed), TLinks.Right(removed));
            TLinks.Left(removed) = null;
            TLinks.Right(removed) = null;
            return;
        }
        LockEntry entry = root!;
        if (removed.IsBefore(entry))
            Remove(ref TLinks.Left(entry), removed);
        else
            Remove(ref TLinks.Right(entry), removed);
        if (TLinks.Concerns(entry, removed))
            TLinks.Refresh(entry);
    }

    private static void Split(LockEntry? root, LockEntry at, out LockEntry? before, out LockEntry? after)
    {
        if (root is null)
        {
            before = null;
            after = null;
            return;
        }
        if (root.IsBefore(at))
        {
            Split(TLinks.Right(root), at, out TLinks.Right(root), out after);
            before = root;
        }
        else
        {
            Split(TLinks.Left(root), at, out before, out TLinks.Left(root));
            after = root;
        }
        TLinks.Refresh(root);
    }

    /// <summary>One tree of two, where all of the first stand before all of the second.</summary>
    private static LockEntry? Join(LockEntry? first, LockEntry? second)
    {
        if (first is null || second is null)
            return first ?? second;
        LockEntry root;
        if (first.Rank > second.Rank)
        {
            root = first;
            TLinks.Right(root) = Join(TLinks.Right(root), second);
        }
        else
        {
            root = second;
            TLinks.Left(root) = Join(first, TLinks.Left(root));
        }
        TLinks.Refresh(root);
        return root;
    }
}
