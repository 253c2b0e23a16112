using System.Globalization;
using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary><c>nfs stat</c>: a name and a value a line, for people and scripts.</summary>
internal sealed class StatCommand(Session session, TextWriter output)
{
    public async Task<int> RunAsync(string[] urls, CancellationToken cancellationToken)
    {
        foreach (string url in urls)
        {
            (NfsClient client, string path) = await session.OpenAsync(url, cancellationToken);
            NfsAttributes attributes = await client.GetAttributesAsync(path, followLink: false, cancellationToken);
            await output.WriteLineAsync($"file: {Text.Name(url)}");
            await output.WriteLineAsync($"type: {attributes.Type}");
            if (attributes.Type == NfsFileType.SymbolicLink)
                await output.WriteLineAsync($"target: {Text.Name(await client.ReadLinkAsync(path, cancellationToken))}");
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"size: {attributes.Size}"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"used: {attributes.Used}"));
            await output.WriteLineAsync($"mode: {Convert.ToString(attributes.Mode, 8).PadLeft(4, '0')} ({Text.Mode(attributes)})");
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"links: {attributes.LinkCount}"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"uid: {attributes.Uid}"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"gid: {attributes.Gid}"));
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"fileid: {attributes.FileId}"));
            await output.WriteLineAsync($"access: {attributes.AccessTime:O}");
            await output.WriteLineAsync($"modify: {attributes.ModifyTime:O}");
            await output.WriteLineAsync($"change: {attributes.ChangeTime:O}");
        }
        return 0;
    }
}
