using System.Text;
using Kworker.Nfs;

namespace Kworker.Samples;

/// <summary>Files of an NFS server from a program: what docs/nfs.md shows.</summary>
public static class NfsClientSample
{
    /// <summary>Writes a file, reads it back, and lists what stands beside it.</summary>
    public static async Task<string> RunAsync(string url)
    {
        await using NfsClient client = await NfsClient.MountAsync(url);

        await client.CreateDirectoryAsync("notes");
        await using (NfsFile file = await client.OpenAsync("notes/today", FileMode.Create, FileAccess.ReadWrite))
        {
            await file.WriteAsync(0, Encoding.UTF8.GetBytes("hello")); // on the server's disk when it returns
            byte[] buffer = new byte[1 << 20];
            int count = await file.ReadAsync(0, buffer); // fewer than asked for only at the end of the file
            Console.WriteLine(Encoding.UTF8.GetString(buffer, 0, count));
        }

        var names = new StringBuilder();
        await foreach (NfsDirectoryEntry entry in client.ListAsync("notes"))
            names.AppendLine($"{entry.Name} {entry.Attributes?.Size}");

        try
        {
            await client.RemoveAsync("notes/yesterday");
        }
        catch (NfsException exception) when (exception.IsNotFound)
        {
            names.AppendLine(exception.Message); // LOOKUP notes/yesterday: no such file or directory
        }
        return names.ToString();
    }
}
