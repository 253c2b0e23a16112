using System.Diagnostics;

namespace Kworker.Nfs;

/// <summary>What the client knows of one file, by its handle: attributes, how often it is open, what becomes of its name. Thread-safe.</summary>
[DebuggerDisplay("{Handle}, open {OpenCount} times")]
internal sealed class Inode(NfsFh3 handle, NfsClientOptions options, TimeProvider time)
{
    private readonly Lock _lock = new();
    private Fattr3? _attributes; // _lock
    private long _fetchedAt; // _lock; time stamp at which the call began that brought them
    private TimeSpan _goodFor; // _lock
    private int _openCount; // _lock
    private SillyName? _silly; // _lock
    private Dictionary<string, Child>? _children; // _lock; of a directory: names that were looked up, good for one version of it

    /// <summary>A name's file, as long as the directory's times are these.</summary>
    private readonly record struct Child(NfsFh3 Handle, NfsTime3 Mtime, NfsTime3 Ctime);

    private const int MaximumChildren = 4096;

    /// <summary>The handle.</summary>
    public NfsFh3 Handle { get; } = handle;

    /// <summary>Of a directory: keeps lookups and removals of open files apart.</summary>
    public SillyGate Gate { get; } = new();

    /// <summary>How often this client has it open.</summary>
    public int OpenCount
    {
        get
        {
            lock (_lock)
                return _openCount;
        }
    }

    /// <summary>The attributes if they are still good (<c>nfs_attribute_cache_expired</c>); else null.</summary>
    public Fattr3? CachedAttributes
    {
        get
        {
            lock (_lock)
                return _attributes is not null && time.GetElapsedTime(_fetchedAt) < _goodFor ? _attributes : null;
        }
    }

    /// <summary>Makes the next look ask the server.</summary>
    public void Invalidate()
    {
        lock (_lock)
        {
            _goodFor = TimeSpan.Zero;
            _children = null;
        }
    }

    /// <summary>Takes attributes that a reply brought.</summary>
    /// <param name="attributes">The attributes; null if the server sent none.</param>
    /// <param name="startedAt">Time stamp from before the call: replies may overtake each other, and older news are no news.</param>
    public void Update(in Fattr3? attributes, long startedAt)
    {
        if (attributes is not { } fresh)
            return;
        lock (_lock)
        {
            if (_attributes is { } known)
            {
                if (startedAt < _fetchedAt && IsBefore(fresh.Ctime, known.Ctime))
                    return;
                // The longer it has not changed, the longer it is trusted (nfs_update_inode).
                bool isSame = known.Ctime == fresh.Ctime && known.Mtime == fresh.Mtime && known.Size == fresh.Size;
                (TimeSpan minimum, TimeSpan maximum) = Limits(fresh.Type);
                if (!isSame)
                    _goodFor = minimum;
                else if (time.GetElapsedTime(_fetchedAt, startedAt) >= _goodFor)
                    _goodFor = _goodFor < minimum ? minimum : _goodFor * 2 > maximum ? maximum : _goodFor * 2;
            }
            else
            {
                _goodFor = Limits(fresh.Type).Minimum;
            }
            _attributes = fresh;
            _fetchedAt = Math.Max(_fetchedAt, startedAt);
        }
    }

    /// <summary>We changed it: takes its new attributes; if the server sent none, the next look asks for them.</summary>
    public void Changed(in Fattr3? attributes, long startedAt)
    {
        if (attributes is null)
            Invalidate();
        else
            Update(attributes, startedAt);
    }

    /// <summary>It was opened once more.</summary>
    public void Open()
    {
        lock (_lock)
            _openCount++;
    }

    /// <summary>It was closed; the name to be removed if that was the last, and it had been put aside.</summary>
    public SillyName? Close()
    {
        lock (_lock)
        {
            if (--_openCount > 0)
                return null;
            SillyName? silly = _silly;
            _silly = null;
            return silly;
        }
    }

    /// <summary>Its name was put aside instead of being removed; the last close removes it. False if nobody has it open any more.</summary>
    public bool PutAside(SillyName silly)
    {
        lock (_lock)
        {
            if (_openCount == 0)
                return false;
            _silly = silly;
            return true;
        }
    }

    /// <summary>Whether it should be put aside: it is open, and has not been.</summary>
    public bool IsToPutAside
    {
        get
        {
            lock (_lock)
                return _openCount > 0 && _silly is null;
        }
    }

    /// <summary>The file of a name in this directory, if it was looked up in the directory's present version.</summary>
    public bool TryGetChild(string name, in Fattr3 directory, out NfsFh3 child)
    {
        lock (_lock)
        {
            child = default;
            if (_children is null || !_children.TryGetValue(name, out Child known))
                return false;
            child = known.Handle;
            return known.Mtime == directory.Mtime && known.Ctime == directory.Ctime;
        }
    }

    /// <summary>Remembers a name that was looked up.</summary>
    public void SetChild(string name, NfsFh3 child, in Fattr3? directory)
    {
        if (directory is not { } version)
            return;
        lock (_lock)
        {
            if (_children is null || _children.Count >= MaximumChildren)
                _children = [];
            _children[name] = new Child(child, version.Mtime, version.Ctime);
        }
    }

    private (TimeSpan Minimum, TimeSpan Maximum) Limits(Ftype3 type) => type == Ftype3.Directory
        ? (options.DirectoryAttributesMinimum, options.DirectoryAttributesMaximum)
        : (options.FileAttributesMinimum, options.FileAttributesMaximum);

    private static bool IsBefore(NfsTime3 a, NfsTime3 b) => a.Seconds < b.Seconds || (a.Seconds == b.Seconds && a.Nseconds < b.Nseconds);
}
