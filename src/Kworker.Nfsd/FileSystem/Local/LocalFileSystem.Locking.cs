using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Kworker.Nfsd.FileSystem.Local;

// Descriptors for locks.
public sealed partial class LocalFileSystem
{
    /// <summary>
    /// Opens a regular file anew, as the server: a lock belongs to an open file description, so that none of the cache's, which come and go and are shared,
    /// will do. Whether somebody may lock the file has been asked before.
    /// </summary>
    /// <param name="handle">The file.</param>
    /// <param name="canWrite">Whether it is open for writing.</param>
    /// <param name="file">The descriptor; null if the status is not OK.</param>
    internal NfsStatus OpenForLocks(in NfsHandle handle, out bool canWrite, out SafeFileHandle? file)
    {
        file = null;
        canWrite = false;
        using FileSystemCall call = FileSystemCall.Begin(_server);
        NfsStatus status = OpenPlace(handle, out Opened opened, out StatX stat);
        using (opened)
        {
            if (status != NfsStatus.Ok)
                return status;
            if (!stat.IsRegular)
                return WrongTypeForData(stat);
            int fd = ProcPath.Reopen(opened.Fd, Libc.O_RDWR);
            canWrite = fd >= 0;
            if (fd < 0 && Marshal.GetLastPInvokeError() is ErrnoStatus.EACCES or ErrnoStatus.EROFS or ErrnoStatus.EPERM or ErrnoStatus.ETXTBSY)
                fd = ProcPath.Reopen(opened.Fd, Libc.O_RDONLY);
            if (fd < 0)
                return ErrnoStatus.Last();
            file = new SafeFileHandle(fd, ownsHandle: true);
            return NfsStatus.Ok;
        }
    }
}
