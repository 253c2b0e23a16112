using System.Buffers.Binary;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>What a local file's handle is made of, and back.</summary>
/// <remarks>
/// <para>Kind 1: kind, type of the kernel's handle (1 byte), inode number (8), the kernel's handle. It names the inode and its generation, so it is
/// never another file, however often the number is used again.</para>
/// <para>Kind 2, where the file system has no handles: kind, inode number (8), time of birth (8 + 4). A file system without times of birth gives zeros: then a new file with
/// a used number passes for the old one.</para>
/// </remarks>
[SupportedOSPlatform("linux")]
internal static unsafe class FileIdentity
{
    private const byte KernelHandle = 1;
    private const byte BirthTime = 2;
    private const int KernelPrefix = 2 + sizeof(ulong);
    private const int BirthLength = 1 + sizeof(ulong) + sizeof(ulong) + sizeof(uint);
    private const int MaxKernelHandle = NfsHandle.MaxLength - KernelPrefix;

    /// <summary><c>struct file_handle</c> with room for the longest that fits into ours.</summary>
    private struct KernelFileHandle
    {
        public uint Length;
        public int Type;
        public fixed byte Bytes[MaxKernelHandle];
    }

    /// <summary>The handle of the open file <paramref name="fd"/>.</summary>
    public static NfsHandle Describe(int fd, in StatX stat)
    {
        Span<byte> bytes = stackalloc byte[NfsHandle.MaxLength];
        var kernel = new KernelFileHandle { Length = MaxKernelHandle };
        int mount;
        int result;
        fixed (byte* empty = "\0"u8)
            result = Libc.NameToHandleAt(fd, empty, &kernel, &mount, Libc.AT_EMPTY_PATH);
        if (result == 0 && kernel.Type is >= 0 and <= byte.MaxValue)
        {
            bytes[0] = KernelHandle;
            bytes[1] = (byte)kernel.Type;
            BinaryPrimitives.WriteUInt64BigEndian(bytes[2..], stat.Inode);
            new ReadOnlySpan<byte>(kernel.Bytes, (int)kernel.Length).CopyTo(bytes[KernelPrefix..]);
            return new NfsHandle(bytes[..(KernelPrefix + (int)kernel.Length)]);
        }
        bytes[0] = BirthTime;
        BinaryPrimitives.WriteUInt64BigEndian(bytes[1..], stat.Inode);
        bool isKnown = (stat.Mask & StatX.BirthTime) != 0;
        BinaryPrimitives.WriteInt64BigEndian(bytes[9..], isKnown ? stat.Born.Seconds : 0);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[17..], isKnown ? stat.Born.Nanoseconds : 0);
        return new NfsHandle(bytes[..BirthLength]);
    }

    /// <summary>The inode number in <paramref name="handle"/>; false if it is no handle of this back end.</summary>
    public static bool TryGetInode(in NfsHandle handle, out ulong inode)
    {
        ReadOnlySpan<byte> bytes = handle.Bytes;
        inode = 0;
        if (bytes.Length >= KernelPrefix && bytes[0] == KernelHandle)
            inode = BinaryPrimitives.ReadUInt64BigEndian(bytes[2..]);
        else if (bytes.Length == BirthLength && bytes[0] == BirthTime)
            inode = BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]);
        else
            return false;
        return true;
    }

    /// <summary>Opens the file of a handle of kind 1 by the kernel, wherever it lies. Needs CAP_DAC_READ_SEARCH.</summary>
    /// <returns>A descriptor that is a place only (O_PATH), or -1.</returns>
    public static int Open(int mount, in NfsHandle handle)
    {
        ReadOnlySpan<byte> bytes = handle.Bytes;
        if (bytes.Length < KernelPrefix || bytes[0] != KernelHandle)
        {
            System.Runtime.InteropServices.Marshal.SetLastPInvokeError(ErrnoStatus.ESTALE);
            return -1;
        }
        var kernel = new KernelFileHandle { Length = (uint)(bytes.Length - KernelPrefix), Type = bytes[1] };
        bytes[KernelPrefix..].CopyTo(new Span<byte>(kernel.Bytes, MaxKernelHandle));
        return Libc.OpenByHandleAt(mount, &kernel, Libc.O_PATH | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
    }
}
