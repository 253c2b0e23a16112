using System.Globalization;
using Kworker.Nfs;

namespace Kworker.Apps.Nfs.Commands;

/// <summary><c>nfs df</c>.</summary>
internal sealed class DiskFreeCommand(Session session, TextWriter output)
{
    public async Task<int> RunAsync(string url, CancellationToken cancellationToken)
    {
        (NfsClient client, _) = await session.OpenAsync(url, cancellationToken);
        NfsFileSystemStatistics room = await client.GetStatisticsAsync(cancellationToken);
        ulong used = room.TotalBytes - Math.Min(room.TotalBytes, room.FreeBytes);
        double share = used + room.AvailableBytes > 0 ? 100.0 * used / (used + room.AvailableBytes) : 0;
        await output.WriteLineAsync($"{"size",10} {"used",10} {"available",10} {"use",5}  export");
        await output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{Text.Size(room.TotalBytes),10} {Text.Size(used),10} {Text.Size(room.AvailableBytes),10} {share,4:0}%  {client.Url.Host}:{client.ExportPath}"));
        return 0;
    }
}
