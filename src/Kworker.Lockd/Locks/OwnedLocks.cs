using System.Diagnostics;

namespace Kworker.Lockd.Locks;

/// <summary>
/// What one owner holds in one file: no two of its locks overlap, and those of one kind do not touch. Guarded by the file's lock, but for
/// the links among the owner's files (<c>LockTable.OwnerLock</c>).
/// </summary>
[DebuggerDisplay("{Owner}")]
internal sealed class OwnedLocks(LockOwner owner, FileLocks file)
{
    private LockEntry? _root;

    public LockOwner Owner { get; } = owner;

    public FileLocks File { get; } = file;

    public bool IsEmpty => _root is null;

    /// <summary>Among the owner's files. Guarded by <c>LockTable.OwnerLock</c>.</summary>
    public OwnedLocks? NextFile { get; set; }

    /// <inheritdoc cref="NextFile"/>
    public OwnedLocks? PreviousFile { get; set; }

    public void Add(LockEntry entry) => LockTree<OwnTree>.Add(ref _root, entry);

    public void Remove(LockEntry entry) => LockTree<OwnTree>.Remove(ref _root, entry);

    /// <summary>Its first lock that ends at or behind <paramref name="position"/>.</summary>
    public LockEntry? FirstFrom(ulong position)
    {
        LockEntry? found = null;
        for (LockEntry? entry = _root; entry is not null;)
        {
            if (entry.Range.End >= position)
            {
                found = entry;
                entry = entry.OwnLeft;
            }
            else
            {
                entry = entry.OwnRight;
            }
        }
        return found;
    }

    /// <summary>Its lock after <paramref name="entry"/>.</summary>
    public LockEntry? Next(LockEntry entry) => entry.Range.End == ulong.MaxValue ? null : FirstFrom(entry.Range.End + 1);

    /// <summary>Whether one of its locks would stand in the way of another owner's.</summary>
    public bool StandsInTheWayOf(LockKind kind, LockRange range)
    {
        for (LockEntry? entry = FirstFrom(range.Start); entry is not null && entry.Range.Start <= range.End; entry = Next(entry))
        {
            if (kind == LockKind.Write || entry.Kind == LockKind.Write)
                return true;
        }
        return false;
    }
}
