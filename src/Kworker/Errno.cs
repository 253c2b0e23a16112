namespace Kworker;

/// <summary>
/// Error numbers of Linux, positive, as the kernel's functions return them negated: <c>Kthread.Stop</c> of a thread that never
/// ran returns <c>-Errno.EINTR</c>.
/// </summary>
public static class Errno
{
    /// <summary>Operation not permitted.</summary>
    public const int EPERM = 1;

    /// <summary>No such file or directory.</summary>
    public const int ENOENT = 2;

    /// <summary>Interrupted; for a kthread: it was stopped before it ran.</summary>
    public const int EINTR = 4;

    /// <summary>Input or output failed.</summary>
    public const int EIO = 5;

    /// <summary>Argument list too long.</summary>
    public const int E2BIG = 7;

    /// <summary>Not an executable format.</summary>
    public const int ENOEXEC = 8;

    /// <summary>No such child process; for a helper: somebody else reaped it.</summary>
    public const int ECHILD = 10;

    /// <summary>Try again.</summary>
    public const int EAGAIN = 11;

    /// <summary>Out of memory.</summary>
    public const int ENOMEM = 12;

    /// <summary>Permission denied.</summary>
    public const int EACCES = 13;

    /// <summary>Busy.</summary>
    public const int EBUSY = 16;

    /// <summary>Not a directory.</summary>
    public const int ENOTDIR = 20;

    /// <summary>Invalid argument.</summary>
    public const int EINVAL = 22;

    /// <summary>Not implemented; for a kthread: it has ended and cannot park.</summary>
    public const int ENOSYS = 38;

    /// <summary>A signal ended a wait, inside the kernel.</summary>
    public const int ERESTARTSYS = 512;
}
