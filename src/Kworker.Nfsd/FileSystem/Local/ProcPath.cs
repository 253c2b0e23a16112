using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>The name <c>/proc/self/fd/N</c>: the way to do by path what a descriptor that is a place only (O_PATH) does not allow.</summary>
[SupportedOSPlatform("linux")]
internal unsafe struct ProcPath
{
    private const int Room = 32;

    [InlineArray(Room)]
    private struct Storage
    {
        private byte _first;
    }

    private Storage _bytes;

    public ProcPath(int fd)
    {
        Span<byte> bytes = _bytes;
        "/proc/self/fd/"u8.CopyTo(bytes);
        Utf8Formatter.TryFormat(fd, bytes[14..], out _); // The rest stays zero: the end of the string.
    }

    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref byte Start => ref Unsafe.As<Storage, byte>(ref _bytes);

    /// <summary>Opens the file of the descriptor <paramref name="fd"/> anew.</summary>
    public static int Reopen(int fd, int flags)
    {
        var path = new ProcPath(fd);
        fixed (byte* start = &path.Start)
            return Libc.OpenAt(Libc.AT_FDCWD, start, flags | Libc.O_CLOEXEC | Libc.O_NOCTTY | Libc.O_NONBLOCK, 0);
    }

    /// <summary>Where the directory of <paramref name="fd"/> lies now, as the kernel tells it.</summary>
    /// <returns>Bytes written, or -1.</returns>
    public static int ReadPlace(int fd, Span<byte> place)
    {
        var path = new ProcPath(fd);
        fixed (byte* start = &path.Start, buffer = place)
        {
            nint length = Libc.ReadLinkAt(Libc.AT_FDCWD, start, buffer, place.Length);
            return length == place.Length ? -1 : (int)length; // Filled to the last byte: probably cut.
        }
    }
}
