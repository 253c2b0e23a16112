namespace Kworker.Nfsd.FileSystem;

/// <summary>One entry that <see cref="INfsFileSystem.ReadDirectory"/> shows: <c>entry3</c>, <c>entryplus3</c> of RFC 1813 sections 3.3.16 and 3.3.17.</summary>
/// <remarks>Lives only for the call that shows it.</remarks>
public readonly ref struct NfsDirectoryEntry
{
    /// <summary>The name, as bytes.</summary>
    public ReadOnlySpan<byte> Name { get; init; }

    /// <summary>The file's <see cref="NfsAttributes.FileId"/>.</summary>
    public ulong FileId { get; init; }

    /// <summary>Where to go on <em>after</em> this entry; never 0. It must stay good while other entries come and go.</summary>
    public ulong Cookie { get; init; }

    /// <summary>Handle and attributes, if they were asked for and could be had.</summary>
    public NfsFile? File { get; init; }
}

/// <summary>Takes the entries of a directory one by one, so that a reply is filled without a list in between. The protocol layer implements it.</summary>
public interface INfsDirectoryVisitor
{
    /// <summary>Takes <paramref name="entry"/>.</summary>
    /// <remarks>Runs in the middle of the file system's call, perhaps under its locks: it must not call the file system.</remarks>
    /// <returns>False if it was not taken, since it does not fit: reading ends before it.</returns>
    bool Visit(in NfsDirectoryEntry entry);
}

/// <summary>How the reading of a directory ended.</summary>
/// <param name="Verifier">Verifier of the cookies given out; 0 where cookies never lose their meaning.</param>
/// <param name="IsEnd">Whether the last entry was taken.</param>
/// <param name="Directory">The directory's attributes, if they could be had.</param>
public readonly record struct NfsDirectoryRead(ulong Verifier, bool IsEnd, NfsAttributes? Directory);
