using System.Globalization;

namespace Kworker.Nfs;

/// <summary>Where a file was put that lost its name while it was open (<c>struct nfs_unlinkdata</c>).</summary>
internal sealed record SillyName(Inode Directory, string Name, string Path)
{
    private static int s_counter; // interlocked

    /// <summary>The names of the kernel: <c>.nfs</c>, the file's number, and a count.</summary>
    public static string Make(ulong fileId) => string.Create(
        CultureInfo.InvariantCulture, $".nfs{fileId:x16}{Interlocked.Increment(ref s_counter):x8}");
}
