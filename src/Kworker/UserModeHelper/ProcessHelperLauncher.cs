using System.ComponentModel;
using System.Diagnostics;

namespace Kworker;

/// <summary>Where there is no pidfd: <see cref="Process"/>, and a thread that waits for each program.</summary>
/// <remarks>
/// Differs from Linux: standard input, captured outputs and other ids are refused (-ENOSYS); argv[0] is always the path; standard input
/// and outputs are inherited; a thread per helper; outside Linux <see cref="Process"/> gives 128 + n for a program that signal n ended,
/// which is reported as that signal, so that exit codes from 129 to 159 cannot be told from signals. Windows: errors of the exec are
/// mapped to the nearest errno, and exit codes cut to 8 bits.
/// </remarks>
internal sealed class ProcessHelperLauncher : HelperLauncher
{
    private const int FirstSignalCode = 129;
    private const int LastSignalCode = 159;

    private int _count;
    private volatile bool _stopped;

    internal override int Count => Volatile.Read(ref _count);

    internal override HelperStatus Start(HelperProgram helper, Action<int>? ended)
    {
        IReadOnlyList<string> argv = helper.Arguments;
        if (argv.Count == 0)
            return HelperStatus.ExecFailed(Errno.EINVAL);
        if (_stopped)
            return HelperStatus.ExecFailed(Errno.EBUSY);
        if (helper.Credentials is not null)
            return HelperStatus.SetupFailed("setresuid", Errno.ENOSYS);
        if (helper.HasStreams)
            return HelperStatus.SetupFailed("pipe2", Errno.ENOSYS);
        string root = Path.GetPathRoot(Environment.SystemDirectory) is { Length: > 0 } drive ? drive : "/";
        string program = Path.Combine(root, helper.Path);
        if (Directory.Exists(program))
            return HelperStatus.ExecFailed(Errno.EACCES); // Process refuses it without an error code
        string directory = Path.Combine(root, helper.WorkingDirectory ?? root);
        if (!Directory.Exists(directory))
            return HelperStatus.SetupFailed("chdir", File.Exists(directory) ? Errno.ENOTDIR : Errno.ENOENT);
        var start = new ProcessStartInfo(program, argv.Skip(1)) { UseShellExecute = false, WorkingDirectory = directory };
        start.Environment.Clear();
        foreach (string variable in helper.Environment)
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                start.Environment[variable[..equals]] = variable[(equals + 1)..];
        }

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            return HelperStatus.ExecFailed(ToErrno(e.NativeErrorCode));
        }
        Interlocked.Increment(ref _count);
        Action<int> noted = Ledger.Started(helper.Path, process.Id, ended);
        new Thread(() => WaitFor(process, noted)) { Name = HelperReaper.Name, IsBackground = true }.Start();
        return new HelperStatus(HelperOutcome.Started, 0);
    }

    internal override void Stop() => _stopped = true;

    private void WaitFor(Process process, Action<int>? ended)
    {
        int code;
        using (process)
        {
            process.WaitForExit();
            code = process.ExitCode;
        }
        Interlocked.Decrement(ref _count);
        bool signaled = !OperatingSystem.IsWindows() && code is >= FirstSignalCode and <= LastSignalCode;
        ended?.Invoke(signaled ? code - FirstSignalCode + 1 : (code & 0xff) << 8);
    }

    private static int ToErrno(int nativeError)
    {
        if (!OperatingSystem.IsWindows())
            return nativeError > 0 ? nativeError : Errno.EIO;
        const int FileNotFound = 2;
        const int PathNotFound = 3;
        const int AccessDenied = 5;
        const int BadExeFormat = 193;
        return nativeError switch
        {
            FileNotFound or PathNotFound => Errno.ENOENT,
            AccessDenied => Errno.EACCES,
            BadExeFormat => Errno.ENOEXEC,
            _ => Errno.EIO,
        };
    }
}
