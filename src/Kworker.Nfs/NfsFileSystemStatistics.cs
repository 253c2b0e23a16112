namespace Kworker.Nfs;

/// <summary>Room in a file system (FSSTAT, RFC 1813 section 3.3.18).</summary>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">Free bytes.</param>
/// <param name="AvailableBytes">Free bytes that the caller may have.</param>
/// <param name="TotalFiles">Places for files.</param>
/// <param name="FreeFiles">Free places.</param>
/// <param name="AvailableFiles">Free places that the caller may have.</param>
public sealed record NfsFileSystemStatistics(
    ulong TotalBytes, ulong FreeBytes, ulong AvailableBytes, ulong TotalFiles, ulong FreeFiles, ulong AvailableFiles);

/// <summary>What a server can do (FSINFO and PATHCONF, RFC 1813 sections 3.3.19 and 3.3.20).</summary>
/// <param name="MaximumRead">Most bytes of a READ.</param>
/// <param name="MaximumWrite">Most bytes of a WRITE.</param>
/// <param name="MaximumFileSize">The largest file, in bytes.</param>
/// <param name="MaximumLinks">Most hard links of a file.</param>
/// <param name="MaximumName">The longest name, in bytes.</param>
/// <param name="IsCaseInsensitive">Whether names that differ in case are the same.</param>
public sealed record NfsFileSystemLimits(
    uint MaximumRead, uint MaximumWrite, ulong MaximumFileSize, uint MaximumLinks, uint MaximumName, bool IsCaseInsensitive);

/// <summary>What may be done with a file (ACCESS, RFC 1813 section 3.3.4).</summary>
[Flags]
public enum NfsAccess
{
    /// <summary>Nothing.</summary>
    None = 0,
    /// <summary>Read a file, list a directory.</summary>
    Read = 1,
    /// <summary>Look up a name in a directory.</summary>
    Lookup = 2,
    /// <summary>Change what is there.</summary>
    Modify = 4,
    /// <summary>Add to it.</summary>
    Extend = 8,
    /// <summary>Delete from a directory.</summary>
    Delete = 16,
    /// <summary>Execute a file.</summary>
    Execute = 32,
}
