namespace Kworker.Nfs;

/// <summary>What a server answered: <c>nfsstat3</c> of RFC 1813 section 2.6, by the same names and numbers.</summary>
public enum NfsStatus
{
    /// <summary>It was done.</summary>
    Ok = 0,
    /// <summary>The caller is not the owner (EPERM).</summary>
    Perm = 1,
    /// <summary>There is no such name (ENOENT).</summary>
    NoEnt = 2,
    /// <summary>A hard error of the medium (EIO).</summary>
    Io = 5,
    /// <summary>No such device or address (ENXIO).</summary>
    Nxio = 6,
    /// <summary>Permission denied (EACCES).</summary>
    Acces = 13,
    /// <summary>The name is taken (EEXIST).</summary>
    Exist = 17,
    /// <summary>A link or rename across file systems (EXDEV).</summary>
    Xdev = 18,
    /// <summary>No such device (ENODEV).</summary>
    NoDev = 19,
    /// <summary>A directory was called for (ENOTDIR).</summary>
    NotDir = 20,
    /// <summary>Anything but a directory was called for (EISDIR).</summary>
    IsDir = 21,
    /// <summary>An invalid argument (EINVAL).</summary>
    Inval = 22,
    /// <summary>The file would grow too large (EFBIG).</summary>
    FBig = 27,
    /// <summary>No space is left (ENOSPC).</summary>
    NoSpc = 28,
    /// <summary>The file system is read-only (EROFS).</summary>
    RoFs = 30,
    /// <summary>Too many hard links (EMLINK).</summary>
    MLink = 31,
    /// <summary>The name is too long (ENAMETOOLONG).</summary>
    NameTooLong = 63,
    /// <summary>The directory is not empty (ENOTEMPTY).</summary>
    NotEmpty = 66,
    /// <summary>The quota is used up (EDQUOT).</summary>
    DQuot = 69,
    /// <summary>What the handle named is gone (ESTALE).</summary>
    Stale = 70,
    /// <summary>Too many levels of remote in path.</summary>
    Remote = 71,
    /// <summary>The server does not know the handle.</summary>
    BadHandle = 10001,
    /// <summary>The file was changed by somebody else meanwhile.</summary>
    NotSync = 10002,
    /// <summary>The directory cookie means nothing any more.</summary>
    BadCookie = 10003,
    /// <summary>The server cannot do that.</summary>
    NotSupp = 10004,
    /// <summary>The reply does not fit.</summary>
    TooSmall = 10005,
    /// <summary>An error of the server that no other value describes.</summary>
    ServerFault = 10006,
    /// <summary>An object of this type cannot be made there.</summary>
    BadType = 10007,
    /// <summary>Under way, but slow. The client asks again by itself; never seen in an exception.</summary>
    Jukebox = 10008,
}
