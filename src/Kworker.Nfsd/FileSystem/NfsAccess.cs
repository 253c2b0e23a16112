namespace Kworker.Nfsd.FileSystem;

/// <summary>Rights that ACCESS asks for: RFC 1813 section 3.3.4, by the same bits.</summary>
[Flags]
public enum NfsAccess
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>Read the file, or list the directory.</summary>
    Read = 0x01,
    /// <summary>Look up a name in the directory.</summary>
    Lookup = 0x02,
    /// <summary>Change existing content or directory entries.</summary>
    Modify = 0x04,
    /// <summary>Write new content or add directory entries.</summary>
    Extend = 0x08,
    /// <summary>Delete a directory entry.</summary>
    Delete = 0x10,
    /// <summary>Execute the file.</summary>
    Execute = 0x20,
}
