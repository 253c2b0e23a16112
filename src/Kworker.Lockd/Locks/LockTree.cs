namespace Kworker.Lockd.Locks;

/// <summary>Which links of an entry a tree uses, and what it keeps about what hangs below.</summary>
internal interface ILockTreeLinks
{
    static abstract ref LockEntry? Left(LockEntry entry);

    static abstract ref LockEntry? Right(LockEntry entry);

    /// <summary>What hangs below the entry has changed.</summary>
    static abstract void Refresh(LockEntry entry);
}

/// <summary>A treap of locks. Adding and removing take expected O(log n); so deep is the recursion, too.</summary>
internal static class LockTree<TLinks>
    where TLinks : struct, ILockTreeLinks
{
    public static void Add(ref LockEntry? root, LockEntry added)
    {
        if (root is null || added.Rank > root.Rank)
        {
            Split(root, added, out TLinks.Left(added), out TLinks.Right(added));
            root = added;
        }
        else if (added.IsBefore(root))
        {
            Add(ref TLinks.Left(root), added);
        }
        else
        {
            Add(ref TLinks.Right(root), added);
        }
        TLinks.Refresh(root);
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
        if (removed.IsBefore(root!))
            Remove(ref TLinks.Left(root!), removed);
        else
            Remove(ref TLinks.Right(root!), removed);
        TLinks.Refresh(root!);
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
