using System.Runtime.CompilerServices;

namespace Kworker.Lockd.Locks;

// Where files and owners are found, and how long they are kept: a file while it has locks, requests that wait, or a call at work on it.
internal sealed partial class LockTable
{
    private const int PartCount = 64; // a power of two

    private readonly Part[] _parts;
    private readonly Lock[] _ownerLocks;

    /// <summary>Files in which locks are held or waited for, at the moment of the look.</summary>
    public int FileCount
    {
        get
        {
            int count = 0;
            foreach (Part part in _parts)
            {
                lock (part.Lock)
                    count += part.Files.Count;
            }
            return count;
        }
    }

    /// <summary>Finds a file and keeps it while the call lasts.</summary>
    private Use Pin(LockFileKey key, bool create)
    {
        Part part = _parts[key.GetHashCode() & (PartCount - 1)];
        lock (part.Lock)
        {
            if (!part.Files.TryGetValue(key, out FileLocks? file))
            {
                if (!create)
                    return default;
                file = new FileLocks(key);
                part.Files.Add(key, file);
            }
            file.Pins++;
            return new Use(part, file);
        }
    }

    /// <summary>Owner's files: guarded by this, which many owners share.</summary>
    private Lock OwnerLock(LockOwner owner) => _ownerLocks[RuntimeHelpers.GetHashCode(owner) & (PartCount - 1)];

    private void Link(OwnedLocks own)
    {
        LockOwner owner = own.Owner;
        Interlocked.Increment(ref owner.Uses);
        lock (OwnerLock(owner))
        {
            own.NextFile = owner.Files;
            if (owner.Files is { } next)
                next.PreviousFile = own;
            owner.Files = own;
        }
    }

    private void Unlink(OwnedLocks own)
    {
        LockOwner owner = own.Owner;
        lock (OwnerLock(owner))
        {
            if (own.PreviousFile is { } previous)
                previous.NextFile = own.NextFile;
            else
                owner.Files = own.NextFile;
            if (own.NextFile is { } next)
                next.PreviousFile = own.PreviousFile;
            own.NextFile = null;
            own.PreviousFile = null;
        }
        Interlocked.Decrement(ref owner.Uses);
    }

    private List<LockFileKey> FilesOf(LockOwner owner)
    {
        var files = new List<LockFileKey>();
        lock (OwnerLock(owner))
        {
            for (OwnedLocks? own = owner.Files; own is not null; own = own.NextFile)
                files.Add(own.File.Key);
        }
        return files;
    }

    private LockFileKey? FirstFileOf(LockOwner owner)
    {
        lock (OwnerLock(owner))
            return owner.Files?.File.Key;
    }

    /// <summary>A part of the dictionary of files.</summary>
    private sealed class Part
    {
        public Lock Lock { get; } = new();

        /// <summary>Guarded by <see cref="Lock"/>.</summary>
        public Dictionary<LockFileKey, FileLocks> Files { get; } = [];
    }

    /// <summary>A call's use of a file.</summary>
    private readonly ref struct Use(Part part, FileLocks file)
    {
        private readonly Part? _part = part;

        /// <summary>Null if there is nothing about the file.</summary>
        public FileLocks? File { get; } = file;

        public void Dispose()
        {
            if (_part is null)
                return;
            FileLocks file = File!;
            LocalLocks? local = null;
            lock (_part.Lock)
            {
                // Without a pin nobody is about to add a lock, and only who has one does: a look without the file's lock is enough.
                if (--file.Pins > 0 || !file.IsEmpty)
                    return;
                _part.Files.Remove(file.Key);
                local = file.Local;
            }
            local?.Dispose();
        }
    }
}
