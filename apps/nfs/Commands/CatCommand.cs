using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary><c>nfs cat</c>.</summary>
internal sealed class CatCommand(Session session)
{
    public async Task<int> RunAsync(string[] urls, CancellationToken cancellationToken)
    {
        await using Stream output = Console.OpenStandardOutput();
        byte[] buffer = new byte[4 << 20];
        foreach (string url in urls)
        {
            (NfsClient client, string path) = await session.OpenAsync(url, cancellationToken);
            await using NfsFile file = await client.OpenAsync(path, cancellationToken: cancellationToken);
            long offset = 0;
            while (await file.ReadAsync(offset, buffer, cancellationToken) is > 0 and int count)
            {
                await output.WriteAsync(buffer.AsMemory(0, count), cancellationToken);
                offset += count;
            }
        }
        await output.FlushAsync(cancellationToken);
        return 0;
    }
}
