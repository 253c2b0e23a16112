using System.Runtime.InteropServices;
using System.Text;

namespace Kworker.Nfsd.Tracking;

/// <summary>Where the helper is, and what it needs beyond what the kernel gives it.</summary>
internal static class TrackingProgram
{
    /// <summary>Its name: nfs-utils' program and ours take the same options.</summary>
    public const string Name = "nfsdcltrack";

    private const string OfTheMachine = "/sbin/" + Name;

    /// <summary>The machine's, or else our own beside this program.</summary>
    public static string Find() => File.Exists(OfTheMachine) ? OfTheMachine : Path.Combine(AppContext.BaseDirectory, Name);

    /// <summary>Whether it can be told where its record is.</summary>
    public static bool TakesStorage(string program) => Path.GetFileName(program) == Name;

    /// <summary>
    /// Our own program, where it has not been compiled ahead of time, finds the runtime by this variable wherever that is; otherwise the environment is the
    /// kernel's.
    /// </summary>
    public static string? RuntimeVariable(string program) =>
        File.Exists(program + ".dll") ? $"DOTNET_ROOT={Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."))}" : null;

    /// <summary>Whether a helper runs at this moment that was told to keep its record in <paramref name="storageDirectory"/>, whoever has started it.</summary>
    public static bool RunsOn(string storageDirectory)
    {
        using BlockingScope blocking = Worker.Blocking();
        byte[] told = Encoding.UTF8.GetBytes($"\0-s\0{storageDirectory}\0");
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (char.IsAsciiDigit(process[^1]) && CommandLineOf(process).AsSpan().IndexOf(told) >= 0)
                return true;
        }
        return false;
    }

    private static byte[] CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllBytes(Path.Combine(process, "cmdline"));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return []; // it has ended meanwhile, or is not ours
        }
    }
}
