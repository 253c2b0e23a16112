namespace Kworker.Nfs;

/// <summary>An operation that failed: which, on what, and why.</summary>
public sealed class NfsException : IOException
{
    /// <summary>An exception without more to say.</summary>
    public NfsException()
        : this("the operation failed")
    {
    }

    /// <summary>An exception with a message.</summary>
    public NfsException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with a message and a cause.</summary>
    public NfsException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal NfsException(string operation, string path, NfsStatus status)
        : base($"{operation} {path}: {Describe(status)}")
    {
        Operation = operation;
        Path = path;
        Status = status;
    }

    internal NfsException(string operation, string path, string why, Exception? cause = null)
        : base($"{operation} {path}: {why}", cause)
    {
        Operation = operation;
        Path = path;
    }

    /// <summary>The protocol's name of what was tried, such as LOOKUP.</summary>
    public string Operation { get; } = "";

    /// <summary>What it was tried on.</summary>
    public string Path { get; } = "";

    /// <summary>What the server answered; null if the failure is not the file system's: no answer, no connection, a garbled reply.</summary>
    public NfsStatus? Status { get; }

    /// <summary>Whether there is no such name.</summary>
    public bool IsNotFound => Status == NfsStatus.NoEnt;

    private static string Describe(NfsStatus status) => status switch
    {
        NfsStatus.Perm => "operation not permitted",
        NfsStatus.NoEnt => "no such file or directory",
        NfsStatus.Io => "input/output error",
        NfsStatus.Nxio => "no such device or address",
        NfsStatus.Acces => "permission denied",
        NfsStatus.Exist => "file exists",
        NfsStatus.Xdev => "crosses file systems",
        NfsStatus.NoDev => "no such device",
        NfsStatus.NotDir => "not a directory",
        NfsStatus.IsDir => "is a directory",
        NfsStatus.Inval => "invalid argument",
        NfsStatus.FBig => "file too large",
        NfsStatus.NoSpc => "no space left on device",
        NfsStatus.RoFs => "read-only file system",
        NfsStatus.MLink => "too many links",
        NfsStatus.NameTooLong => "file name too long",
        NfsStatus.NotEmpty => "directory not empty",
        NfsStatus.DQuot => "disk quota exceeded",
        NfsStatus.Stale => "stale file handle",
        NfsStatus.Remote => "too many levels of remote in path",
        NfsStatus.BadHandle => "the server does not know the file handle",
        NfsStatus.NotSync => "changed by somebody else meanwhile",
        NfsStatus.BadCookie => "the directory changed while it was listed",
        NfsStatus.NotSupp => "operation not supported",
        NfsStatus.TooSmall => "the reply does not fit",
        NfsStatus.ServerFault => "server fault",
        NfsStatus.BadType => "file type not supported",
        NfsStatus.Jukebox => "the file is not available yet",
        _ => $"error {(int)status}",
    };
}
