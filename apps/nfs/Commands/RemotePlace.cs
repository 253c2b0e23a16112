using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary>A path on a server.</summary>
internal sealed class RemotePlace(NfsClient client, string path) : Place
{
    public override string Name => $"{client.Url.Host}:{client.ExportPath.TrimEnd('/')}/{path.TrimStart('/')}";

    public override string LastName => $"{client.ExportPath}/{path}".TrimEnd('/').Split('/')[^1];

    public override async Task<Status> StatusAsync(bool followLink, CancellationToken cancellationToken)
    {
        try
        {
            NfsAttributes attributes = await client.GetAttributesAsync(path, followLink, cancellationToken);
            Kind kind = attributes.Type switch
            {
                NfsFileType.Regular => Kind.File,
                NfsFileType.Directory => Kind.Directory,
                NfsFileType.SymbolicLink => Kind.Link,
                _ => Kind.Other,
            };
            return new Status(kind, attributes.Size, attributes.Mode, $"{client.Url.Host} {attributes.FileSystemId:x}:{attributes.FileId:x}");
        }
        catch (NfsException exception) when (exception.IsNotFound)
        {
            return default;
        }
    }

    public override async Task<IOpenFile> OpenToReadAsync(CancellationToken cancellationToken) =>
        new OpenFile(await client.OpenAsync(path, cancellationToken: cancellationToken));

    public override async Task<IOpenFile> OpenToWriteAsync(int mode, CancellationToken cancellationToken) =>
        new OpenFile(await client.OpenAsync(path, FileMode.Create, FileAccess.Write, mode, cancellationToken));

    public override async IAsyncEnumerable<string> ListAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (NfsDirectoryEntry entry in client.ListAsync(path, cancellationToken))
            yield return entry.Name;
    }

    public override Task MakeDirectoryAsync(int mode, CancellationToken cancellationToken) =>
        client.CreateDirectoryAsync(path, mode, cancellationToken).AsTask();

    public override Task<string> ReadLinkAsync(CancellationToken cancellationToken) => client.ReadLinkAsync(path, cancellationToken).AsTask();

    public override Task MakeLinkAsync(string target, CancellationToken cancellationToken) =>
        client.CreateSymbolicLinkAsync(path, target, cancellationToken).AsTask();

    public override Place Below(string name) => new RemotePlace(client, $"{path.TrimEnd('/')}/{name}");

    private sealed class OpenFile(NfsFile file) : IOpenFile
    {
        public ValueTask<int> ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken) =>
            file.ReadAsync(offset, target, cancellationToken);

        public ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> source, CancellationToken cancellationToken) =>
            file.WriteAsync(offset, source, cancellationToken);

        public ValueTask DisposeAsync() => file.DisposeAsync();
    }
}
