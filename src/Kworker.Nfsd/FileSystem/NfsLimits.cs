namespace Kworker.Nfsd.FileSystem;

/// <summary>Space of a file system: FSSTAT, RFC 1813 section 3.3.18. Sizes in bytes.</summary>
public record struct NfsSpace
{
    /// <summary>Size of the file system.</summary>
    public ulong TotalBytes { get; set; }

    /// <summary>Free space.</summary>
    public ulong FreeBytes { get; set; }

    /// <summary>Free space that the caller may use.</summary>
    public ulong AvailableBytes { get; set; }

    /// <summary>Number of file slots.</summary>
    public ulong TotalFiles { get; set; }

    /// <summary>Free file slots.</summary>
    public ulong FreeFiles { get; set; }

    /// <summary>Free file slots that the caller may use.</summary>
    public ulong AvailableFiles { get; set; }

    /// <summary>Seconds for which this is not expected to change; 0 when not known.</summary>
    public uint InvariantSeconds { get; set; }
}

/// <summary>Abilities of a file system: FSINFO, RFC 1813 section 3.3.19. Transfer sizes are the protocol layer's.</summary>
public record struct NfsCapabilities
{
    /// <summary>Largest file, in bytes.</summary>
    public ulong MaxFileSize { get; set; }

    /// <summary>Granularity of its time stamps.</summary>
    public NfsTime TimeGranularity { get; set; }

    /// <summary>Whether it has hard links.</summary>
    public bool HasHardLinks { get; set; }

    /// <summary>Whether it has symbolic links.</summary>
    public bool HasSymbolicLinks { get; set; }

    /// <summary>Whether <see cref="INfsFileSystem.GetPathLimits"/> gives the same for every file.</summary>
    public bool IsHomogeneous { get; set; }

    /// <summary>Whether clients may set times.</summary>
    public bool CanSetTime { get; set; }
}

/// <summary>Limits of names and links: PATHCONF, RFC 1813 section 3.3.20.</summary>
public record struct NfsPathLimits
{
    /// <summary>Most hard links to a file.</summary>
    public uint MaxLinks { get; set; }

    /// <summary>Longest name, in bytes.</summary>
    public uint MaxNameLength { get; set; }

    /// <summary>Whether a longer name is refused rather than cut.</summary>
    public bool NoTruncation { get; set; }

    /// <summary>Whether only root may give files away.</summary>
    public bool ChownRestricted { get; set; }

    /// <summary>Whether names that differ in case only are the same.</summary>
    public bool CaseInsensitive { get; set; }

    /// <summary>Whether the case of names is kept.</summary>
    public bool CasePreserving { get; set; }
}
