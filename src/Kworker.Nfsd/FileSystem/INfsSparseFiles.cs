namespace Kworker.Nfsd.FileSystem;

/// <summary>What a file system implements besides <see cref="INfsFileSystem"/> if its files can have holes: RFC 7862 sections 6 and 7, over NFSv4.2.</summary>
/// <remarks>Callers, errors and threads as for <see cref="INfsFileSystem"/>.</remarks>
public interface INfsSparseFiles
{
    /// <summary>ALLOCATE, section 15.1: storage is there for the range when the call returns; the file grows to its end.</summary>
    NfsStatus Allocate(NfsCredentials caller, in NfsHandle file, ulong offset, ulong length, out NfsChange change);

    /// <summary>DEALLOCATE, section 15.4: the range reads as zeros; the file's size stays.</summary>
    NfsStatus Deallocate(NfsCredentials caller, in NfsHandle file, ulong offset, ulong length, out NfsChange change);

    /// <summary>SEEK, section 15.11: the next data, or the next hole, from <paramref name="offset"/> on.</summary>
    /// <param name="caller">On whose behalf.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where to begin; at or past the end, and where no data follows, <see cref="NfsStatus.Nxio"/>.</param>
    /// <param name="forHole">Whether a hole is looked for; the end of the file is one.</param>
    /// <param name="found">Where it begins.</param>
    /// <param name="isEnd">Whether that is the end of the file.</param>
    NfsStatus Seek(NfsCredentials caller, in NfsHandle file, ulong offset, bool forHole, out ulong found, out bool isEnd);
}
