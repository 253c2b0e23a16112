using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>The few steps on descriptors that everything in the local back end shares.</summary>
[SupportedOSPlatform("linux")]
internal static unsafe class LocalFile
{
    /// <summary>Attributes of an open file.</summary>
    public static bool TryStat(int fd, out StatX stat)
    {
        fixed (StatX* result = &stat)
        fixed (byte* empty = "\0"u8)
        {
            return Libc.StatX(
                fd, empty, Libc.AT_EMPTY_PATH | Libc.AT_SYMLINK_NOFOLLOW, StatX.BasicStats | StatX.BirthTime | StatX.MountId, result) == 0;
        }
    }

    /// <summary>Opens a name in a directory as a place, links not followed.</summary>
    /// <returns>The descriptor, or -1.</returns>
    public static int OpenPlace(int directory, ReadOnlySpan<byte> name)
    {
        Span<byte> terminated = stackalloc byte[NameBuffer.MaxName + 1];
        name.CopyTo(terminated);
        terminated[name.Length] = 0;
        fixed (byte* start = terminated)
            return OpenPlace(directory, start);
    }

    /// <inheritdoc cref="OpenPlace(int, ReadOnlySpan{byte})"/>
    public static int OpenPlace(int directory, byte* name) =>
        Libc.OpenAt(directory, name, Libc.O_PATH | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0);
}
