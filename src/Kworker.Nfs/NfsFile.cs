using System.Diagnostics;

namespace Kworker.Nfs;

/// <summary>
/// An open file. Reads and writes name their place; large ones are split into requests that are under way together. Thread-safe; reads and
/// writes that overlap in time and place come in no particular order.
/// </summary>
[DebuggerDisplay("{Path}")]
public sealed partial class NfsFile : IAsyncDisposable
{
    private readonly NfsClient _client;
    private readonly Inode _inode;
    private readonly FileAccess _access;
    private int _isClosed; // interlocked

    internal NfsFile(NfsClient client, Inode inode, string path, FileAccess access)
    {
        _client = client;
        _inode = inode;
        Path = path;
        _access = access;
    }

    /// <summary>The path by which it was opened.</summary>
    public string Path { get; }

    internal Inode Inode => _inode;

    /// <summary>Reads; returns the bytes read, fewer than asked for only at the end of the file.</summary>
    /// <param name="offset">Where, in bytes.</param>
    /// <param name="target">Where to. Not to be touched until the read is done.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="NfsException">The server refuses, or a lock of this file was lost.</exception>
    /// <exception cref="InvalidOperationException">Not opened for that.</exception>
    public async ValueTask<int> ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        CheckOpen(FileAccess.Read);
        if (target.IsEmpty)
            return 0;
        return await new DirectRead(_client.Mount, _inode, Path, (ulong)offset, target).ReadAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes; when it returns, all is on the server's disk.</summary>
    /// <param name="offset">Where, in bytes.</param>
    /// <param name="source">What. Not to be changed until the write is done.</param>
    /// <param name="cancellationToken">Ends it; what of it was written is not known then.</param>
    /// <exception cref="NfsException">The server refuses, or a lock of this file was lost.</exception>
    /// <exception cref="InvalidOperationException">Not opened for that.</exception>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        CheckOpen(FileAccess.Write);
        if (!source.IsEmpty)
            await new DirectWrite(_client.Mount, _inode, Path, (ulong)offset, source).WriteAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What the server says about the file.</summary>
    /// <exception cref="NfsException">It is gone.</exception>
    public async ValueTask<NfsAttributes> GetAttributesAsync(CancellationToken cancellationToken = default) =>
        NfsAttributes.From(await _client.AttributesAsync(_inode, Path, cancellationToken).ConfigureAwait(false));

    /// <summary>Changes attributes.</summary>
    /// <exception cref="NfsException">The server refuses.</exception>
    public ValueTask SetAttributesAsync(NfsAttributeChanges changes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(changes);
        return _client.SetAttributesAsync(_inode, Path, changes, cancellationToken);
    }

    /// <summary>Closes it; releases its locks, and removes it if its name was removed meanwhile.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
            return;
        await CloseLocksAsync().ConfigureAwait(false);
        await _client.CloseAsync(_inode).ConfigureAwait(false);
    }

    private void CheckOpen(FileAccess access)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _isClosed) != 0, this);
        if (!_access.HasFlag(access))
            throw new InvalidOperationException($"{Path} is not open for {access}.");
        CheckLocks(access == FileAccess.Read ? "READ" : "WRITE");
    }
}
