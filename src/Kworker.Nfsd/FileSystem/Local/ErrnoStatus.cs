using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>What a client is told when a system call fails.</summary>
internal static class ErrnoStatus
{
    public const int EPERM = 1, ENOENT = 2, EINTR = 4, EIO = 5, ENXIO = 6, E2BIG = 7, EBADF = 9, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EBUSY = 16,
        EEXIST = 17, EXDEV = 18, ENODEV = 19, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ENFILE = 23, EMFILE = 24, ETXTBSY = 26, EFBIG = 27, ENOSPC = 28,
        EROFS = 30, EMLINK = 31, ENAMETOOLONG = 36, ENOSYS = 38, ERANGE = 34, ENOTEMPTY = 39, ELOOP = 40, ENODATA = 61, EOVERFLOW = 75, EOPNOTSUPP = 95, ETIMEDOUT = 110,
        ESTALE = 116, EDQUOT = 122;

    /// <summary>The status of the call that failed last on this thread.</summary>
    public static NfsStatus Last() => Of(Marshal.GetLastPInvokeError());

    public static NfsStatus Of(int errno) => errno switch
    {
        0 => NfsStatus.Ok,
        EPERM => NfsStatus.Perm,
        ENOENT => NfsStatus.NoEnt,
        EIO => NfsStatus.Io,
        ENXIO => NfsStatus.Nxio,
        EACCES => NfsStatus.Acces,
        EEXIST => NfsStatus.Exist,
        EXDEV => NfsStatus.Xdev,
        ENODEV => NfsStatus.NoDev,
        ENOTDIR => NfsStatus.NotDir,
        EISDIR => NfsStatus.IsDir,
        EINVAL => NfsStatus.Inval,
        EFBIG => NfsStatus.FBig,
        ENOSPC => NfsStatus.NoSpc,
        EROFS => NfsStatus.RoFs,
        EMLINK => NfsStatus.MLink,
        ENAMETOOLONG => NfsStatus.NameTooLong,
        ENOTEMPTY => NfsStatus.NotEmpty,
        EDQUOT => NfsStatus.DQuot,
        ESTALE => NfsStatus.Stale,
        EOPNOTSUPP or ENOSYS => NfsStatus.NotSupp,

        // A program that runs cannot be written, a mount point not removed: RFC 1813 has no better word for "not now, not by you".
        ETXTBSY or EBUSY => NfsStatus.Acces,
        // O_NOFOLLOW met a symbolic link: a link is a file here, never a way.
        ELOOP => NfsStatus.NotDir,
        // A lease is being broken, or the machine is short of something that comes back.
        EAGAIN or ENOMEM or ENFILE or EMFILE or ETIMEDOUT or EINTR => NfsStatus.Jukebox,
        EOVERFLOW or E2BIG => NfsStatus.Inval,
        _ => NfsStatus.ServerFault,
    };
}
