using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Conformance.Replay;

/// <summary>The programs that the helper scenarios run, made once in a directory of their own.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed partial class HelperFiles
{
    private const UnixFileMode Executable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private static readonly Lazy<HelperFiles> s_instance = new(() => new HelperFiles());

    private readonly string _directory = Directory.CreateTempSubdirectory("kworker-conformance-").FullName;

    private HelperFiles()
    {
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(_directory, recursive: true);
        // Helpers of another user must reach them too.
        File.SetUnixFileMode(_directory, Executable);
        Write("noexec", "This is text.\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Write("garbage", "\u0001\u0002 of no known format\n", Executable);
        Write("empty", "", Executable);
        Write("badinterp", "#!/nowhere/interpreter\n", Executable);
        Write("script", "#!/bin/sh\nexit 6\n", Executable);
        DumpNoCore();
        Compile(Path.Combine(AppContext.BaseDirectory, "probe.c"), Path.Combine(_directory, "probe"));
    }

    public static HelperFiles Instance => s_instance.Value;

    /// <summary>The user whom this process runs as.</summary>
    public static uint UserId => GetUserId();

    /// <summary>Where our own file for a path of the recording is. What is not one of its files (a directory) stays as it is.</summary>
    public string Resolve(string recorded) => recorded switch
    {
        "-" => "",
        "/probe" => Path.Combine(_directory, "probe"),
        _ when recorded.StartsWith("/nowhere", StringComparison.Ordinal) => _directory + recorded,
        _ when recorded.StartsWith("/etc/", StringComparison.Ordinal) => Path.Combine(_directory, recorded["/etc/".Length..]),
        _ => recorded,
    };

    private void Write(string name, string text, UnixFileMode mode)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, mode);
    }

    private static void Compile(string source, string program)
    {
        Process compiler;
        try
        {
            compiler = Process.Start(new ProcessStartInfo("cc", ["-O1", "-o", program, source]) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new InvalidOperationException(
                "The helper scenarios run a small C program: they need a C compiler named 'cc' (Debian: apt install gcc libc6-dev).", missing);
        }

        using (compiler)
        {
            var messages = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            if (compiler.ExitCode != 0)
                throw new InvalidOperationException($"cc could not compile {source}:\n{messages}");
        }
    }

    /// <summary>A helper has our resource limits; the recorder's dumped no core, and a dumped one shows in the wait status.</summary>
    private static void DumpNoCore()
    {
        const int Core = 4;
        var none = default(ResourceLimit);
        if (GetResourceLimit(Core, ref none) == 0)
        {
            none.Soft = 0;
            _ = SetResourceLimit(Core, in none); // refused or not, the scenarios tell
        }
    }

    private struct ResourceLimit
    {
        public nuint Soft;
        public nuint Hard;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetResourceLimit(int resource, ref ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "getuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial uint GetUserId();
}
