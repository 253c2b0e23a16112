using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary>
/// <c>nfs cp</c>: while a part is written the next is read; parts are large, and split by the client into requests that are under way
/// together. What cannot be copied is said, and the rest is copied.
/// </summary>
internal sealed class CopyCommand(Session session, TextWriter error, bool isRecursive, bool showsProgress)
{
    private const int PartSize = 16 << 20;

    private readonly byte[][] _buffers = [[], []];
    private readonly HashSet<string> _made = []; // directories that we made, which may stand below one that is copied
    private int _status;

    public async Task<int> RunAsync(string[] paths, CancellationToken cancellationToken)
    {
        if (!paths.Any(NfsUrl.IsUrl))
            throw new FormatException("cp needs a URL: as a source, or as the target");
        Place target = await PlaceAsync(paths[^1], cancellationToken);
        bool isIntoDirectory = (await target.StatusAsync(followLink: true, cancellationToken)).Kind == Place.Kind.Directory;
        if (paths.Length > 2 && !isIntoDirectory)
            throw new IOException($"{target.Name}: several files are copied into a directory, and that is none");
        foreach (string path in paths[..^1])
        {
            Place source = await PlaceAsync(path, cancellationToken);
            await TryAsync(source, isIntoDirectory ? target.Below(source.LastName) : target, followLink: !isRecursive, cancellationToken);
        }
        return _status;
    }

    private async Task<Place> PlaceAsync(string path, CancellationToken cancellationToken)
    {
        if (!NfsUrl.IsUrl(path))
            return new LocalPlace(path);
        (NfsClient client, string rest) = await session.OpenAsync(path, cancellationToken);
        return new RemotePlace(client, rest);
    }

    private async Task TryAsync(Place source, Place target, bool followLink, CancellationToken cancellationToken)
    {
        try
        {
            await CopyAsync(source, target, followLink, cancellationToken);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            await error.WriteLineAsync($"nfs: {exception.Message}");
            _status = Program.Failure;
        }
    }

    private async Task CopyAsync(Place source, Place target, bool followLink, CancellationToken cancellationToken)
    {
        Place.Status status = await source.StatusAsync(followLink, cancellationToken);
        switch (status.Kind)
        {
            case Place.Kind.File:
                await CopyFileAsync(source, target, status, cancellationToken);
                break;
            case Place.Kind.Directory when isRecursive:
                await CopyDirectoryAsync(source, target, status, cancellationToken);
                break;
            case Place.Kind.Directory:
                throw new IOException($"{source.Name}: is a directory: cp -r copies it with all that is in it");
            case Place.Kind.Link:
                await target.MakeLinkAsync(await source.ReadLinkAsync(cancellationToken), cancellationToken);
                break;
            case Place.Kind.Nothing:
                throw new IOException($"{source.Name}: no such file or directory");
            default:
                throw new IOException($"{source.Name}: neither a file nor a directory nor a link: not copied");
        }
    }

    private async Task CopyDirectoryAsync(Place source, Place target, Place.Status status, CancellationToken cancellationToken)
    {
        if (status.Identity is { } identity && _made.Contains(identity))
            throw new IOException($"{source.Name}: it is being copied into, and is not copied into itself");
        if ((await target.StatusAsync(followLink: true, cancellationToken)).Kind != Place.Kind.Directory)
        {
            await target.MakeDirectoryAsync(status.Mode | 0b111_000_000, cancellationToken);
            if ((await target.StatusAsync(followLink: true, cancellationToken)).Identity is { } made)
                _made.Add(made);
        }
        await foreach (string name in source.ListAsync(cancellationToken))
            await TryAsync(source.Below(name), target.Below(name), followLink: false, cancellationToken);
    }

    private async Task CopyFileAsync(Place source, Place target, Place.Status status, CancellationToken cancellationToken)
    {
        // To open it for writing would empty it before a byte is read.
        if (status.Identity is { } identity && (await target.StatusAsync(followLink: true, cancellationToken)).Identity == identity)
            throw new IOException($"{source.Name} and {target.Name} are the same file");
        var progress = new ProgressLine(error, source.LastName, status.Size, showsProgress);
        int partSize = (int)Math.Clamp(status.Size, 64 << 10, PartSize);
        for (int i = 0; i < _buffers.Length; i++)
        {
            if (_buffers[i].Length < partSize)
                _buffers[i] = GC.AllocateUninitializedArray<byte>(partSize);
        }
        await using IOpenFile from = await source.OpenToReadAsync(cancellationToken);
        await using IOpenFile to = await target.OpenToWriteAsync(status.Mode, cancellationToken);
        long offset = 0;
        Task writing = Task.CompletedTask;
        try
        {
            for (int turn = 0; ; turn ^= 1)
            {
                int count = await from.ReadAsync(offset, _buffers[turn].AsMemory(0, partSize), cancellationToken);
                await writing;
                if (count == 0)
                    break;
                writing = WriteAsync(to, offset, _buffers[turn].AsMemory(0, count), progress, cancellationToken);
                offset += count;
            }
        }
        finally
        {
            // The buffers are used again: nobody may be reading them.
            await writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            progress.End();
        }
    }

    private static async Task WriteAsync(IOpenFile to, long offset, ReadOnlyMemory<byte> part, ProgressLine progress, CancellationToken cancellationToken)
    {
        await to.WriteAsync(offset, part, cancellationToken);
        progress.Add(part.Length);
    }
}
