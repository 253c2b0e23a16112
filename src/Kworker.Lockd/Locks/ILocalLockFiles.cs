using Microsoft.Win32.SafeHandles;

namespace Kworker.Lockd.Locks;

/// <summary>Opens local files, so that the table's locks are taken on them, too, and programs of this machine see them.</summary>
internal interface ILocalLockFiles
{
    /// <summary>
    /// Opens a file, when the first of its locks is asked for. Called under the file's lock: it may block, and must not call the table.
    /// </summary>
    /// <param name="file">Which.</param>
    /// <param name="canWrite">Whether the descriptor is open for writing, as a write lock needs; with one that is not, a write lock is held
    /// on the local file as a read lock, which is all that the kernel gives.</param>
    /// <returns>A descriptor of its own, open for reading at least, which the table closes with the file's last lock; null where there is no
    /// local file, or none that can be opened: then the table's locks stand alone.</returns>
    /// <exception cref="IOException">There is one, but it cannot be opened now (no descriptor left, say): the lock is refused.</exception>
    SafeFileHandle? Open(LockFileKey file, out bool canWrite);
}
