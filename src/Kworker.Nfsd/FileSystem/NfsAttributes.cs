namespace Kworker.Nfsd.FileSystem;

/// <summary>What is known about a file: <c>fattr3</c> of RFC 1813 section 2.6.</summary>
public record struct NfsAttributes
{
    /// <summary>Its type.</summary>
    public NfsFileType Type { get; set; }

    /// <summary>Permission bits with set-uid, set-gid and sticky: the lower 12 bits of <c>st_mode</c>, never the type.</summary>
    public uint Mode { get; set; }

    /// <summary>Number of hard links.</summary>
    public uint LinkCount { get; set; }

    /// <summary>Owner.</summary>
    public uint Uid { get; set; }

    /// <summary>Group.</summary>
    public uint Gid { get; set; }

    /// <summary>Size in bytes.</summary>
    public ulong Size { get; set; }

    /// <summary>Bytes of storage that it takes.</summary>
    public ulong Used { get; set; }

    /// <summary>Major number, for devices; else 0.</summary>
    public uint DeviceMajor { get; set; }

    /// <summary>Minor number, for devices; else 0.</summary>
    public uint DeviceMinor { get; set; }

    /// <summary>The file system that it lives on. All files of one export give the same, else clients see a mount point.</summary>
    public ulong FileSystemId { get; set; }

    /// <summary>Its number within the file system (the inode number): same file, same number, never two at a time.</summary>
    public ulong FileId { get; set; }

    /// <summary>Time of the last read.</summary>
    public NfsTime AccessTime { get; set; }

    /// <summary>Time of the last change to the content.</summary>
    public NfsTime ModifyTime { get; set; }

    /// <summary>Time of the last change to content or attributes. Clients tell by it whether their cache is good: every change must move it.</summary>
    public NfsTime ChangeTime { get; set; }

    /// <summary>
    /// A number that is another after every change to content or attributes, however soon it follows the last, and never comes back: NFSv4's change attribute
    /// (RFC 7530 section 5.8.1.4). 0 where the file system has none: then it is made of <see cref="ChangeTime"/>, and two changes between which that does not move look like one.
    /// </summary>
    public ulong Change { get; set; }
}
