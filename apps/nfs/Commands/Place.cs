namespace Kworker.Apps.Nfs.Commands;

/// <summary>What is to be copied or where to: a path on this machine or on a server.</summary>
internal abstract class Place
{
    /// <summary>What kind of thing stands there.</summary>
    public enum Kind
    {
        Nothing,
        File,
        Directory,
        Link,
        Other,
    }

    /// <summary>What is known of it.</summary>
    /// <param name="Kind">The kind.</param>
    /// <param name="Size">Of a file, its bytes.</param>
    /// <param name="Mode">The mode bits.</param>
    /// <param name="Identity">What tells it from any other file, by whatever path; null where opening it to write tells.</param>
    public readonly record struct Status(Kind Kind, long Size, int Mode, string? Identity = null);

    /// <summary>As the user knows it.</summary>
    public abstract string Name { get; }

    /// <summary>The last component.</summary>
    public abstract string LastName { get; }

    public abstract Task<Status> StatusAsync(bool followLink, CancellationToken cancellationToken);

    public abstract Task<IOpenFile> OpenToReadAsync(CancellationToken cancellationToken);

    /// <summary>Makes the file anew, or empties it.</summary>
    public abstract Task<IOpenFile> OpenToWriteAsync(int mode, CancellationToken cancellationToken);

    public abstract IAsyncEnumerable<string> ListAsync(CancellationToken cancellationToken);

    public abstract Task MakeDirectoryAsync(int mode, CancellationToken cancellationToken);

    public abstract Task<string> ReadLinkAsync(CancellationToken cancellationToken);

    public abstract Task MakeLinkAsync(string target, CancellationToken cancellationToken);

    /// <summary>A name in it.</summary>
    public abstract Place Below(string name);
}

/// <summary>An open file of either kind.</summary>
internal interface IOpenFile : IAsyncDisposable
{
    ValueTask<int> ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken);

    ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken);
}
