using System.Runtime.InteropServices;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary><c>struct statx_timestamp</c>.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct StatXTime
{
    public long Seconds;
    public uint Nanoseconds;

    public readonly NfsTime Time => new(Seconds, Nanoseconds);
}

/// <summary><c>struct statx</c> and what we read from it.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatX
{
    public const uint BasicStats = 0x7ff;
    public const uint BirthTime = 0x800;
    public const uint MountId = 0x1000;

    public uint Mask;
    public uint BlockSize;
    public ulong Attributes;
    public uint LinkCount;
    public uint Uid;
    public uint Gid;
    public ushort Mode;
    private readonly ushort _spare;
    public ulong Inode;
    public ulong Size;
    public ulong Blocks;
    public ulong AttributesMask;
    public StatXTime Accessed;
    public StatXTime Born;
    public StatXTime Changed;
    public StatXTime Modified;
    public uint RdevMajor;
    public uint RdevMinor;
    public uint DevMajor;
    public uint DevMinor;
    public ulong Mount;

    public const uint TypeMask = 0xf000;

    public readonly NfsFileType Type => (Mode & TypeMask) switch
    {
        0x8000 => NfsFileType.Regular,
        0x4000 => NfsFileType.Directory,
        0x6000 => NfsFileType.BlockDevice,
        0x2000 => NfsFileType.CharacterDevice,
        0xa000 => NfsFileType.SymbolicLink,
        0xc000 => NfsFileType.Socket,
        0x1000 => NfsFileType.NamedPipe,
        _ => NfsFileType.None,
    };

    public readonly bool IsDirectory => Type == NfsFileType.Directory;
    public readonly bool IsRegular => Type == NfsFileType.Regular;
    public readonly uint Permissions => Mode & 0xfffu;
    public readonly ulong Device => (ulong)DevMajor << 32 | DevMinor;

    /// <summary>Whether both are in one mount; by device where the kernel (before 5.8) does not tell the mount.</summary>
    public readonly bool IsSameMount(in StatX other) =>
        (Mask & other.Mask & MountId) != 0 ? Mount == other.Mount : Device == other.Device;
}
