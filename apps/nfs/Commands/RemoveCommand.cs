using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary><c>nfs rm</c>: what cannot be removed is said, and the rest is removed.</summary>
internal sealed class RemoveCommand(Session session, TextWriter error)
{
    public async Task<int> RunAsync(string[] urls, bool isRecursive, CancellationToken cancellationToken)
    {
        int status = 0;
        foreach (string url in urls)
        {
            try
            {
                (NfsClient client, string path) = await session.OpenNameAsync(url, cancellationToken);
                await RemoveAsync(client, path, isRecursive, cancellationToken);
            }
            catch (NfsException exception)
            {
                await error.WriteLineAsync($"nfs: {exception.Message}");
                status = Program.Failure;
            }
        }
        return status;
    }

    private static async Task RemoveAsync(NfsClient client, string path, bool isRecursive, CancellationToken cancellationToken)
    {
        NfsAttributes attributes = await client.GetAttributesAsync(path, followLink: false, cancellationToken);
        if (attributes.Type != NfsFileType.Directory)
        {
            await client.RemoveAsync(path, cancellationToken);
            return;
        }
        if (!isRecursive)
            throw new NfsException($"{path} is a directory: rm -r removes it with all that is in it");
        // All names first: what a directory that changes under its listing shows is not defined.
        var names = new List<string>();
        await foreach (NfsDirectoryEntry entry in client.ListAsync(path, cancellationToken))
            names.Add(entry.Name);
        foreach (string name in names)
            await RemoveAsync(client, $"{path.TrimEnd('/')}/{name}", isRecursive, cancellationToken);
        await client.RemoveDirectoryAsync(path, cancellationToken);
    }
}
