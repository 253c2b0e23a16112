using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Kworker.Nfsd.FileSystem.Local;

/// <summary>The system calls that the local back end is made of. Names and flags are Linux's; -1 is failure, the reason in <see cref="Marshal.GetLastPInvokeError"/>.</summary>
/// <remarks>Only 64-bit Linux on x64, arm64 and riscv64: their numbers for the per-thread credential calls are known here.</remarks>
[SupportedOSPlatform("linux")]
internal static unsafe partial class Libc
{
    private const string Library = "libc";

    // Flags that differ between x86 and the architectures that came with the generic table.
    private static readonly bool s_isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
    public static readonly int O_DIRECTORY = s_isArm ? 0x4000 : 0x10000;
    public static readonly int O_NOFOLLOW = s_isArm ? 0x8000 : 0x20000;

    public const int CLOCK_REALTIME = 0;
    public const int CLOCK_REALTIME_COARSE = 5;
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NOCTTY = 0x100;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;

    public const int AT_FDCWD = -100;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_REMOVEDIR = 0x200;
    public const int AT_EACCESS = 0x200;
    public const int AT_SYMLINK_FOLLOW = 0x400;
    public const int AT_EMPTY_PATH = 0x1000;

    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;
    public const int FALLOC_FL_KEEP_SIZE = 1;
    public const int FALLOC_FL_PUNCH_HOLE = 2;

    public const int R_OK = 4;
    public const int W_OK = 2;
    public const int X_OK = 1;

    public const long UTIME_NOW = (1 << 30) - 1;
    public const long UTIME_OMIT = (1 << 30) - 2;

    public const int _PC_LINK_MAX = 0;
    public const int RLIMIT_NOFILE = 7;

    private static readonly bool s_isX64 = RuntimeInformation.ProcessArchitecture == Architecture.X64;
    private static readonly nint s_setgroups = s_isX64 ? 116 : 159;
    private static readonly nint s_setfsuid = s_isX64 ? 122 : 151;
    private static readonly nint s_setfsgid = s_isX64 ? 123 : 152;
    private const int FaccessAt2 = 439;

    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true)]
    public static partial int OpenAt(int directory, byte* name, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    public static partial int StatX(int directory, byte* name, int flags, uint mask, StatX* result);

    [LibraryImport(Library, EntryPoint = "name_to_handle_at", SetLastError = true)]
    public static partial int NameToHandleAt(int directory, byte* name, void* handle, int* mountId, int flags);

    [LibraryImport(Library, EntryPoint = "open_by_handle_at", SetLastError = true)]
    public static partial int OpenByHandleAt(int mount, void* handle, int flags);

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true)]
    public static partial nint ReadLinkAt(int directory, byte* name, byte* buffer, nint size);

    [LibraryImport(Library, EntryPoint = "pread", SetLastError = true)]
    public static partial nint PRead(int fd, byte* buffer, nint count, long offset);

    [LibraryImport(Library, EntryPoint = "pwrite", SetLastError = true)]
    public static partial nint PWrite(int fd, byte* buffer, nint count, long offset);

    [LibraryImport(Library, EntryPoint = "fsync", SetLastError = true)]
    public static partial int FSync(int fd);

    [LibraryImport(Library, EntryPoint = "fdatasync", SetLastError = true)]
    public static partial int FDataSync(int fd);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFs(int fd);

    [LibraryImport(Library, EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int FTruncate(int fd, long length);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true)]
    public static partial int MkDirAt(int directory, byte* name, uint mode);

    [LibraryImport(Library, EntryPoint = "mknodat", SetLastError = true)]
    public static partial int MkNodAt(int directory, byte* name, uint mode, ulong device);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true)]
    public static partial int SymLinkAt(byte* target, int directory, byte* name);

    [LibraryImport(Library, EntryPoint = "linkat", SetLastError = true)]
    public static partial int LinkAt(int fromDirectory, byte* from, int toDirectory, byte* to, int flags);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true)]
    public static partial int UnlinkAt(int directory, byte* name, int flags);

    [LibraryImport(Library, EntryPoint = "renameat", SetLastError = true)]
    public static partial int RenameAt(int fromDirectory, byte* from, int toDirectory, byte* to);

    [LibraryImport(Library, EntryPoint = "fchmodat", SetLastError = true)]
    public static partial int FChModAt(int directory, byte* name, uint mode, int flags);

    [LibraryImport(Library, EntryPoint = "fchownat", SetLastError = true)]
    public static partial int FChOwnAt(int directory, byte* name, uint uid, uint gid, int flags);

    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true)]
    public static partial int UTimeNsAt(int directory, byte* name, TimeSpec* times, int flags);

    [LibraryImport(Library, EntryPoint = "getdents64", SetLastError = true)]
    public static partial nint GetDents64(int fd, byte* buffer, nint size);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    public static partial long LSeek(int fd, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "fstatfs", SetLastError = true)]
    public static partial int FStatFs(int fd, StatFs* result);

    [LibraryImport(Library, EntryPoint = "fpathconf", SetLastError = true)]
    public static partial nint FPathConf(int fd, int name);

    [LibraryImport(Library, EntryPoint = "getxattr", SetLastError = true)]
    public static partial nint GetXAttr(byte* path, byte* name, void* value, nint size);

    [LibraryImport(Library, EntryPoint = "setxattr", SetLastError = true)]
    public static partial int SetXAttr(byte* path, byte* name, void* value, nint size, int flags);

    [LibraryImport(Library, EntryPoint = "listxattr", SetLastError = true)]
    public static partial nint ListXAttr(byte* path, byte* list, nint size);

    [LibraryImport(Library, EntryPoint = "removexattr", SetLastError = true)]
    public static partial int RemoveXAttr(byte* path, byte* name);

    [LibraryImport(Library, EntryPoint = "fallocate", SetLastError = true)]
    public static partial int FAllocate(int fd, int mode, long offset, long length);

    [LibraryImport(Library, EntryPoint = "getrlimit", SetLastError = true)]
    public static partial int GetRLimit(int resource, ResourceLimit* result);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint GetEUid();

    [LibraryImport(Library, EntryPoint = "clock_gettime"), SuppressGCTransition]
    public static partial int ClockGetTime(int clock, TimeSpec* time);

    [LibraryImport(Library, EntryPoint = "clock_getres")]
    public static partial int ClockGetResolution(int clock, TimeSpec* resolution);

    [LibraryImport(Library, EntryPoint = "getegid")]
    public static partial uint GetEGid();

    [LibraryImport(Library, EntryPoint = "getgroups", SetLastError = true)]
    public static partial int GetGroups(int size, uint* groups);

    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint first, nint second, nint third, nint fourth);

    public static bool IsKnownArchitecture => s_isX64 || s_isArm || RuntimeInformation.ProcessArchitecture == Architecture.RiscV64;

    /// <summary>access(2) by the thread's file-system ids rather than the process's real ones; for an open descriptor.</summary>
    public static int FAccess(int fd, int mode)
    {
        fixed (byte* empty = "\0"u8)
            return (int)Syscall(FaccessAt2, fd, (nint)empty, mode, AT_EMPTY_PATH | AT_EACCESS);
    }

    // The wrappers of glibc change every thread of the process (POSIX wants it so); the bare system calls change this one only.

    /// <summary>Sets this thread's supplementary groups.</summary>
    public static int SetThreadGroups(ReadOnlySpan<uint> groups)
    {
        fixed (uint* first = groups)
            return (int)Syscall(s_setgroups, groups.Length, (nint)first, 0, 0);
    }

    /// <summary>Sets this thread's file-system uid. Never fails; gives the former one. <see cref="uint.MaxValue"/> sets nothing.</summary>
    public static uint SetThreadFsUid(uint uid) => (uint)Syscall(s_setfsuid, unchecked((int)uid), 0, 0, 0);

    /// <summary>Sets this thread's file-system gid. Never fails; gives the former one. <see cref="uint.MaxValue"/> sets nothing.</summary>
    public static uint SetThreadFsGid(uint gid) => (uint)Syscall(s_setfsgid, unchecked((int)gid), 0, 0, 0);

    /// <summary>Resolves every import now: later, under a client's credentials, the loader might not be allowed to look for it.</summary>
    public static void Prepare() => Marshal.PrelinkAll(typeof(Libc));
}

/// <summary><c>struct timespec</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}

/// <summary><c>struct rlimit</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResourceLimit
{
    public ulong Current;
    public ulong Maximum;
}

/// <summary><c>struct statfs</c> of 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential, Size = 120)]
internal struct StatFs
{
    public long Type;
    public long BlockSize;
    public ulong Blocks;
    public ulong FreeBlocks;
    public ulong AvailableBlocks;
    public ulong Files;
    public ulong FreeFiles;
    public ulong FileSystemId;
    public long NameLength;
    public long FragmentSize;
    public long Flags;
}
