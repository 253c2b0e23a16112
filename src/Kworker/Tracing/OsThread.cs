using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>The operating system's view of threads, where it tells.</summary>
internal static partial class OsThread
{
    private static readonly nint s_getTid = !OperatingSystem.IsLinux() ? 0 : RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 186,
        Architecture.Arm64 => 178,
        _ => 0,
    };

    /// <summary>The number of the calling thread, as in /proc/self/task; zero where that is not known. A system call.</summary>
    internal static int CurrentId => s_getTid == 0 ? 0 : (int)SystemCall(s_getTid);

    /// <summary>What it says of a thread: its state, and where in the kernel it waits. Empty where that is not known.</summary>
    internal static string Describe(int id)
    {
        if (id == 0)
            return "";
        try
        {
            string stat = File.ReadAllText($"/proc/self/task/{id}/stat");
            string state = stat[(stat.LastIndexOf(')') + 2)..][..1];
            string at = File.ReadAllText($"/proc/self/task/{id}/wchan").Trim();
            return $"thread {id}, state {state}{(at is "" or "0" ? "" : $", in {at}")}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            return $"thread {id}"; // it has ended, or we may not look
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint SystemCall(nint number);
}
