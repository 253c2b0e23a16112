namespace Kworker.Nfs;

/// <summary>
/// One <see cref="Inode"/> a handle, for as long as anybody refers to it; the latest are kept for their attributes. Thread-safe.
/// </summary>
internal sealed class InodeTable(NfsClientOptions options, TimeProvider time)
{
    private const int Kept = 4096;

    private readonly Lock _lock = new();
    private readonly Dictionary<NfsFh3, WeakReference<Inode>> _inodes = new(new HandleComparer()); // _lock
    private readonly Inode?[] _latest = new Inode?[Kept]; // _lock; a ring
    private int _next; // _lock
    private int _sweepAt = 2 * Kept; // _lock

    /// <summary>The inode of a handle. Never two at a time: open counts would not agree.</summary>
    public Inode Get(NfsFh3 handle)
    {
        lock (_lock)
        {
            if (_inodes.TryGetValue(handle, out WeakReference<Inode>? reference) && reference.TryGetTarget(out Inode? inode))
                return inode;
            inode = new Inode(handle, options, time);
            _inodes[handle] = new WeakReference<Inode>(inode);
            _latest[_next++ % Kept] = inode;
            if (_inodes.Count > _sweepAt)
                Sweep();
            return inode;
        }
    }

    /// <summary>Makes every look ask the server: a name led to a file that is gone.</summary>
    public void InvalidateAll()
    {
        lock (_lock)
        {
            foreach (WeakReference<Inode> reference in _inodes.Values)
            {
                if (reference.TryGetTarget(out Inode? inode))
                    inode.Invalidate();
            }
        }
    }

    private void Sweep()
    {
        foreach ((NfsFh3 handle, WeakReference<Inode> reference) in _inodes.ToArray())
        {
            if (!reference.TryGetTarget(out _))
                _inodes.Remove(handle);
        }
        _sweepAt = Math.Max(2 * Kept, 2 * _inodes.Count);
    }

    private sealed class HandleComparer : IEqualityComparer<NfsFh3>
    {
        public bool Equals(NfsFh3 x, NfsFh3 y) => x.Bytes.SequenceEqual(y.Bytes);

        public int GetHashCode(NfsFh3 handle)
        {
            var hash = new HashCode();
            hash.AddBytes(handle.Bytes);
            return hash.ToHashCode();
        }
    }
}
