using System.Globalization;
using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary><c>nfs ls</c>: sorted by name, as ls does in the C locale.</summary>
internal sealed class ListCommand(Session session, TextWriter output)
{
    public async Task<int> RunAsync(string url, bool isLong, bool all, CancellationToken cancellationToken)
    {
        (NfsClient client, string path) = await session.OpenAsync(url, cancellationToken);
        NfsAttributes attributes = await client.GetAttributesAsync(path, cancellationToken: cancellationToken);
        if (attributes.Type != NfsFileType.Directory)
        {
            await WriteAsync(client, path, path.TrimStart('/'), attributes, isLong, cancellationToken);
            return 0;
        }
        var entries = new List<NfsDirectoryEntry>();
        await foreach (NfsDirectoryEntry entry in client.ListAsync(path, cancellationToken))
        {
            if (all || !entry.Name.StartsWith('.'))
                entries.Add(entry);
        }
        entries.Sort((one, other) => string.CompareOrdinal(one.Name, other.Name));
        foreach (NfsDirectoryEntry entry in entries)
            await WriteAsync(client, $"{path}/{entry.Name}", entry.Name, entry.Attributes, isLong, cancellationToken);
        return 0;
    }

    private async Task WriteAsync(
        NfsClient client, string path, string name, NfsAttributes? attributes, bool isLong, CancellationToken cancellationToken)
    {
        if (!isLong)
        {
            await output.WriteLineAsync(Text.Name(name));
            return;
        }
        attributes ??= await client.GetAttributesAsync(path, followLink: false, cancellationToken);
        string target = attributes.Type == NfsFileType.SymbolicLink
            ? " -> " + Text.Name(await client.ReadLinkAsync(path, cancellationToken))
            : "";
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{Text.Mode(attributes)} {attributes.LinkCount,3} {attributes.Uid,5} {attributes.Gid,5} {attributes.Size,12} {Text.Time(attributes.ModifyTime)} {Text.Name(name)}{target}"));
    }
}
