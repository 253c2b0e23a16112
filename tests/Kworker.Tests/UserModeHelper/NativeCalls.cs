using System.Runtime.InteropServices;

namespace Kworker.Tests.UserModeHelpers;

internal static partial class NativeCalls
{
    /// <summary>dup(2): the copy is inherited by an exec.</summary>
    [LibraryImport("libc", EntryPoint = "dup", SetLastError = true)]
    internal static partial int Duplicate(int descriptor);

    /// <summary>mkfifo(3): -1 and errno.</summary>
    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeFifo(string path, uint mode);

    /// <summary>dup2(2): -1 and errno.</summary>
    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    internal static partial int Duplicate(int descriptor, int number);

    /// <summary>kill(2): -1 and errno.</summary>
    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);

    /// <summary>geteuid(2), of the calling thread.</summary>
    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    /// <summary>-1 and errno.</summary>
    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    internal static partial int GetLimit(int resource, ref Limit limit);

    /// <summary>-1 and errno.</summary>
    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    internal static partial int SetLimit(int resource, in Limit limit);

    internal struct Limit
    {
        internal nuint Current;
        internal nuint Maximum;
    }
}
