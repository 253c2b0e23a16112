using System.Diagnostics;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.State;

/// <summary>A file among those of all file systems served: one that is exported twice is one file. Costs no allocation.</summary>
/// <param name="fileSystem">Its file system.</param>
/// <param name="handle">Its handle there.</param>
[DebuggerDisplay("{Handle}")]
internal readonly struct FileKey(INfsFileSystem fileSystem, in NfsHandle handle) : IEquatable<FileKey>
{
    private readonly NfsHandle _handle = handle;

    public INfsFileSystem FileSystem { get; } = fileSystem;

    public NfsHandle Handle => _handle;

    public bool Equals(FileKey other) => ReferenceEquals(FileSystem, other.FileSystem) && _handle.Equals(other._handle);

    public override bool Equals(object? obj) => obj is FileKey other && Equals(other);

    public override int GetHashCode() => _handle.GetHashCode();
}
