namespace Kworker.Nfsd.FileSystem;

/// <summary>The type of a file: <c>ftype3</c> of RFC 1813 section 2.6, by the same numbers.</summary>
public enum NfsFileType
{
    /// <summary>Not known (never sent).</summary>
    None = 0,
    /// <summary>Regular file.</summary>
    Regular = 1,
    /// <summary>Directory.</summary>
    Directory = 2,
    /// <summary>Block special device.</summary>
    BlockDevice = 3,
    /// <summary>Character special device.</summary>
    CharacterDevice = 4,
    /// <summary>Symbolic link.</summary>
    SymbolicLink = 5,
    /// <summary>Socket.</summary>
    Socket = 6,
    /// <summary>Named pipe.</summary>
    NamedPipe = 7,
}
