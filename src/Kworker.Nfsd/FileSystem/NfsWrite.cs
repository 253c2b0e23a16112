namespace Kworker.Nfsd.FileSystem;

/// <summary>How durable a WRITE is to be, or was made: <c>stable_how</c> of RFC 1813 section 3.3.7, by the same numbers. A greater value promises more.</summary>
public enum NfsStability
{
    /// <summary>Nothing promised until COMMIT.</summary>
    Unstable = 0,
    /// <summary>The data, and as much of the attributes as finds it again, are on stable storage.</summary>
    DataSync = 1,
    /// <summary>Data and all attributes are on stable storage.</summary>
    FileSync = 2,
}

/// <summary>What a WRITE did.</summary>
/// <param name="Count">Bytes written, at least 1 unless none were given.</param>
/// <param name="Committed">How durable they are now: at least what was asked for.</param>
/// <param name="Epoch">
/// <see cref="INfsFileSystem"/>'s write epoch, read <em>before</em> the data was handed over: so that a loss that happens at any later
/// moment shows as a different one.
/// </param>
public readonly record struct NfsWritten(int Count, NfsStability Committed, ulong Epoch);
