using System.Diagnostics;

namespace Kworker.Lockd.Locks;

/// <summary>
/// The locks of one file, and the requests that wait for them. All of it is guarded by the file's lock, which is the monitor of this object
/// (a lock object of its own would be a third more memory for a file with one lock); exceptions say so.
/// </summary>
[DebuggerDisplay("{Key} {Count} locks")]
internal sealed class FileLocks(LockFileKey key)
{
    private LockEntry? _reads;
    private LockEntry? _writes;
    private OwnedLocks? _only; // the owner, while there is but one
    private Dictionary<LockOwner, OwnedLocks>? _owners; // from the second owner on

    public LockFileKey Key { get; } = key;

    /// <summary>Calls that use this object. Guarded by the lock of the table's part; while it is 0 and nothing is held, the object is dropped.</summary>
    public int Pins { get; set; }

    /// <summary>Locks held.</summary>
    public int Count { get; private set; }

    /// <summary>The same locks on the local file; null before the first, and where there is none.</summary>
    public LocalLocks? Local { get; set; }

    /// <summary>Whether the local file has been asked for, since the file has locks.</summary>
    public bool IsLocalKnown { get; set; }

    /// <summary>The requests that wait, the first that came. Changed under the table's graph lock as well: either lock is enough to read.</summary>
    public BlockedLock? FirstWaiting { get; private set; }

    /// <inheritdoc cref="FirstWaiting"/>
    public BlockedLock? LastWaiting { get; private set; }

    /// <summary>Whether a lock is gone that a request waited for, so that the requests are to be tried again.</summary>
    public bool HasOrphans { get; set; }

    /// <summary>Whether somebody is to hear when a lock goes: the table's list of those who do has this file. Written under the table's lock of that list, too.</summary>
    public bool IsWatched { get; set; }

    public bool IsEmpty => Count == 0 && FirstWaiting is null && !IsWatched;

    public IEnumerable<OwnedLocks> Owners => _owners is { } owners ? owners.Values : _only is { } only ? [only] : [];

    public OwnedLocks? Find(LockOwner owner)
    {
        if (_owners is not null)
            return _owners.GetValueOrDefault(owner);
        return ReferenceEquals(_only?.Owner, owner) ? _only : null;
    }

    /// <summary>Finds the owner's locks, or a place for its first.</summary>
    public OwnedLocks FindOrAdd(LockOwner owner, out bool added)
    {
        added = false;
        if (Find(owner) is { } found)
            return found;
        added = true;
        var created = new OwnedLocks(owner, this);
        if (_only is null && _owners is null)
        {
            _only = created;
            return created;
        }
        if (_owners is null)
        {
            _owners = new Dictionary<LockOwner, OwnedLocks>(ReferenceEqualityComparer.Instance) { [_only!.Owner] = _only };
            _only = null;
        }
        _owners.Add(owner, created);
        return created;
    }

    /// <summary>An owner that holds nothing any more.</summary>
    public void Remove(OwnedLocks owned)
    {
        if (_owners is null)
            _only = null;
        else if (_owners.Remove(owned.Owner) && _owners.Count == 0)
            _owners = null;
    }

    /// <summary>Of the locks that are in the way, the one that begins first.</summary>
    public LockEntry? FindConflict(OwnedLocks? own, LockKind kind, LockRange range)
    {
        LockEntry? write = FileTree.FindFirst(_writes, range, own);
        if (kind == LockKind.Read)
            return write;
        LockEntry? read = FileTree.FindFirst(_reads, range, own);
        return read is null || (write is not null && write.IsBefore(read)) ? write : read;
    }

    /// <summary>The first read lock of others in the range.</summary>
    public LockEntry? FindOthersRead(OwnedLocks own, LockRange range) => FileTree.FindFirst(_reads, range, own);

    /// <summary>
    /// Makes the owner's locks in the range be of a kind, or none: what is in the way of that is cut, what is of that kind and touches becomes
    /// one with it.
    /// </summary>
    public void Set(OwnedLocks own, LockKind? kind, LockRange range, ref ulong number)
    {
        // Those that only touch count, too: they may be of the same kind.
        ulong from = range.Start == 0 ? 0 : range.Start - 1;
        ulong to = range.End == ulong.MaxValue ? range.End : range.End + 1;
        LockEntry? before = null;
        LockEntry? after = null;
        ulong start = range.Start;
        ulong end = range.End;
        LockEntry? next;
        for (LockEntry? entry = own.FirstFrom(from); entry is not null && entry.Range.Start <= to; entry = next)
        {
            next = own.Next(entry);
            if (entry.Kind == kind)
            {
                if (entry.Range.Contains(range))
                    return; // Then it is the only one here.
                start = Math.Min(start, entry.Range.Start);
                end = Math.Max(end, entry.Range.End);
            }
            else if (!entry.Range.Overlaps(range))
            {
                continue;
            }
            else
            {
                if (entry.Range.Start < range.Start)
                    before = new LockEntry(own, entry.Kind, new LockRange(entry.Range.Start, range.Start - 1), ++number);
                if (entry.Range.End > range.End)
                    after = new LockEntry(own, entry.Kind, new LockRange(range.End + 1, entry.Range.End), ++number);
            }
            Remove(own, entry);
        }
        if (before is not null)
            Add(own, before);
        if (after is not null)
            Add(own, after);
        if (kind is { } wanted)
            Add(own, new LockEntry(own, wanted, new LockRange(start, end), ++number));
    }

    /// <summary>Puts a request at the end of the line.</summary>
    public void Enqueue(BlockedLock request)
    {
        request.WaitsIn = this;
        request.PreviousInFile = LastWaiting;
        if (LastWaiting is { } last)
            last.NextInFile = request;
        else
            FirstWaiting = request;
        LastWaiting = request;
    }

    /// <summary>Takes a request out of the line.</summary>
    public void Dequeue(BlockedLock request)
    {
        if (request.PreviousInFile is { } previous)
            previous.NextInFile = request.NextInFile;
        else
            FirstWaiting = request.NextInFile;
        if (request.NextInFile is { } next)
            next.PreviousInFile = request.PreviousInFile;
        else
            LastWaiting = request.PreviousInFile;
        request.NextInFile = null;
        request.PreviousInFile = null;
        request.Blocker = null;
        request.WaitsIn = null;
    }

    private void Add(OwnedLocks own, LockEntry entry)
    {
        own.Add(entry);
        LockTree<FileTree>.Add(ref TreeOf(entry), entry);
        Count++;
    }

    private void Remove(OwnedLocks own, LockEntry entry)
    {
        own.Remove(entry);
        LockTree<FileTree>.Remove(ref TreeOf(entry), entry);
        Count--;
        entry.Owner = null;
        entry.Last = null;
        entry.LastOfOthers = null;
        HasOrphans |= entry.IsWaitedFor;
    }

    private ref LockEntry? TreeOf(LockEntry entry) => ref entry.Kind == LockKind.Write ? ref _writes : ref _reads;
}
