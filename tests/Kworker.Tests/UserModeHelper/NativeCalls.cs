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
}
