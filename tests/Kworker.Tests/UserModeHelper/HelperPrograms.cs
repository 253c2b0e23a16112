using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker.Tests.UserModeHelpers;

/// <summary>The programs that the tests run as helpers, in a directory of their own.</summary>
/// <remarks>
/// All are written before the first of them runs: a program that is still open for writing, if only in a process that is just being
/// made, cannot be executed (ETXTBSY).
/// </remarks>
public sealed class HelperPrograms : IDisposable
{
    private const uint FifoMode = 0x180; // rw for us alone

    private readonly ConcurrentBag<string> _fifos = [];
    private readonly string _directory = Directory.CreateTempSubdirectory("kworker-helpers-").FullName;

    public HelperPrograms()
    {
        Probe = In("probe");
        if (!TryCompileProbe())
            Write(Probe, File.ReadAllText(Source("probe.sh")), executable: true);
        NotExecutable = Write(In("noexec"), "plain text\n", executable: false);
        Garbage = Write(In("garbage"), "\u0001\u0002 no format that any kernel knows\n", executable: true);
        Empty = Write(In("empty"), "", executable: true);
        BadInterpreter = Write(In("badinterp"), "#!/nowhere/interpreter\n", executable: true);
        Script = Write(In("script"), "#!/bin/sh\nexit 6\n", executable: true);
        Describe = Write(
            In("describe"),
            """
            #!/bin/sh
            # By the shell alone: while it makes a process, it blocks all signals.
            while read -r line; do
              case $line in SigIgn*|SigBlk*) echo "$line" ;; esac
            done < /proc/$$/status > "$1"
            read -r id name state parent group session terminal rest < /proc/$$/stat
            echo "$id $group $session $terminal" >> "$1"

            """,
            executable: true);
        Gate = Write(In("gate"), "#!/bin/sh\n: < \"$1\"\nexit $2\n", executable: true);
    }

    public string Probe { get; }

    public string NotExecutable { get; }

    public string Garbage { get; }

    public string Empty { get; }

    public string BadInterpreter { get; }

    public string Script { get; }

    public static IReadOnlyList<string> Environment { get; } = ["HOME=/", "KREC=yes"];

    public string In(string name) => Path.Combine(_directory, name);

    /// <summary>Writes to the file of its first argument what signals it ignores and blocks, and its process id, group and session.</summary>
    public string Describe { get; }

    /// <summary>Waits until somebody has the FIFO of its first argument open for writing, then exits with its second argument.</summary>
    public string Gate { get; }

    /// <summary>A new FIFO for <see cref="Gate"/>.</summary>
    public string AddFifo()
    {
        string path = In($"fifo-{Guid.NewGuid():N}");
        if (NativeCalls.MakeFifo(path, FifoMode) != 0)
            throw new IOException($"mkfifo {path}: {Marshal.GetLastPInvokeErrorMessage()}");
        _fifos.Add(path);
        return path;
    }

    /// <summary>Lets the helpers go on at whatever FIFO they wait or will: what a test that failed has left must not hold up the rest.</summary>
    public IDisposable OpenAllGates() => new Gates(_fifos);

    /// <summary>Lets the helpers go on that wait at the FIFO, and all that come to it before the result is disposed.</summary>
    public static IDisposable OpenGate(string fifo) => new FileStream(fifo, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static string Write(string path, string text, bool executable)
    {
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("These programs are scripts and binaries of a Unix.");
        File.WriteAllText(path, text);
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        if (executable)
            mode |= UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        File.SetUnixFileMode(path, mode);
        return path;
    }

    private bool TryCompileProbe()
    {
        try
        {
            using Process compiler = Process.Start(new ProcessStartInfo("cc", ["-o", Probe, Source("probe.c")]))!;
            compiler.WaitForExit();
            return compiler.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // no compiler here
        }
    }

    private static string Source(string name) => Path.Combine(AppContext.BaseDirectory, "UserModeHelper", name);

    private sealed class Gates(IEnumerable<string> fifos) : IDisposable
    {
        // Opened for reading, too: that waits for nobody.
        private readonly List<FileStream> _opened =
            [.. fifos.Select(fifo => new FileStream(fifo, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0))];

        public void Dispose() => _opened.ForEach(static gate => gate.Dispose());
    }
}
