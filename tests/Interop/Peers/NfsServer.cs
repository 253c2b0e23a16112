using System.Diagnostics;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>
/// The daemon as a process, serving a directory of its own on a free port of the loopback; it can be killed, and started again on the
/// same port, directory and state. What it logged goes to the test's output.
/// </summary>
/// <remarks>
/// With <c>KWORKER_INTEROP_SERVER=ganesha</c> in the environment it is NFS-Ganesha instead: a check that fails there too is a wrong check.
/// </remarks>
internal sealed partial class NfsServer : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);
    private readonly TemporaryDirectory _directory;
    private readonly ServerOptions _options;
    private readonly StringBuilder _log = new();
    private Process? _process;
    private TaskCompletionSource _saidMore = new(TaskCreationOptions.RunContinuationsAsynchronously); // of the next line; lock: _log
    private TaskCompletionSource _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private NfsServer(ServerOptions options)
    {
        _options = options;
        _directory = new TemporaryDirectory();
        Export = _directory.Folder("export");
        State = _directory.Folder("state");
        Port = Machine.FreePort(IsGanesha ? 3 : 0);
    }

    /// <summary>Whether the tests run against NFS-Ganesha, to try the tests themselves.</summary>
    public static bool IsGanesha { get; } = Environment.GetEnvironmentVariable("KWORKER_INTEROP_SERVER") == "ganesha";

    /// <summary>The exported directory, on this machine and as clients name it.</summary>
    public string Export { get; }

    /// <summary>Where the daemon keeps what must survive its restart.</summary>
    public string State { get; }

    public int Port { get; }

    public int MountPort => IsGanesha ? Port + 1 : Port;

    public IPEndPoint Address => new(IPAddress.Loopback, Port);

    public int ProcessId => Running.Id;

    /// <summary>The mount options by which a Linux client reaches it, by version 3, 4.0 or 4.1; version 3 without locks.</summary>
    public string MountOptions(string version) =>
        version == "3" ? $"vers=3,nolock,proto=tcp,port={Port},mountport={MountPort},mountproto=tcp" : $"vers={version},proto=tcp,port={Port}";

    /// <summary>What the process holds in memory, in bytes (VmRSS of proc(5)).</summary>
    public long ResidentBytes
    {
        get
        {
            var line = File.ReadLines($"/proc/{ProcessId}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
        }
    }

    /// <summary>All that it logged so far, over its restarts.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Waits until it has logged <paramref name="text"/>: what it says may come later than what it answers.</summary>
    public async Task SaysAsync(string text)
    {
        while (true)
        {
            Task more;
            lock (_log)
            {
                if (_log.ToString().Contains(text, StringComparison.OrdinalIgnoreCase))
                    return;
                more = _saidMore.Task;
            }

            await more.WaitAsync(s_limit);
        }
    }

    private Process Running => _process ?? throw new InvalidOperationException("the server does not run");

    /// <summary>Starts one and waits until it listens.</summary>
    public static async Task<NfsServer> StartAsync(ServerOptions? options = null)
    {
        var server = new NfsServer(options ?? new ServerOptions());
        if (server._options.Owner is { } owner)
            Command.Run("chown", [owner, server.Export, server.State]).Succeeds();
        try
        {
            await server.StartAgainAsync();
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }

        return server;
    }

    /// <summary>The URL by which libnfs reaches <paramref name="path"/> in the export.</summary>
    public string Url(string path = "") => $"nfs://127.0.0.1{Export}/{path}?nfsport={Port}&mountport={MountPort}";

    /// <summary>The path on this machine of <paramref name="name"/> in the export.</summary>
    public string PathOf(string name) => Path.Combine(Export, name);

    /// <summary>Starts it after <see cref="KillAsync"/> or <see cref="StopAsync"/>, on the same port, directory and state; waits until it listens.</summary>
    public async Task StartAgainAsync()
    {
        if (_process is not null)
            throw new InvalidOperationException("the server runs already");
        var listens = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _listens = listens;
        string[] command = [.. _options.RunBy, .. ServerCommand()];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        // The daemon's host program finds the same .NET that runs these tests, wherever that was installed.
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Take(e.Data, listens);
        process.ErrorDataReceived += (_, e) => Take(e.Data, listens);
        process.Exited += (_, _) => listens.TrySetException(new InvalidOperationException($"the server ended with {process.ExitCode} before it listened:\n{Log}"));
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await listens.Task.WaitAsync(s_limit);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the server did not say that it listens:\n{Log}");
        }
    }

    /// <summary>Ends it by SIGKILL: it gets no chance to do anything more.</summary>
    public async Task KillAsync()
    {
        Running.Kill();
        await EndedAsync();
    }

    /// <summary>Asks it to end by SIGTERM and returns its exit status.</summary>
    public async Task<int> StopAsync()
    {
        Signal(15);
        return await EndedAsync();
    }

    /// <summary>Sends it the signal number <paramref name="signal"/>.</summary>
    public void Signal(int signal)
    {
        if (Kill(ProcessId, signal) != 0)
            throw new InvalidOperationException($"kill({ProcessId}, {signal}): errno {Marshal.GetLastPInvokeError()}");
    }

    /// <summary>Says <paramref name="line"/> to its standard input.</summary>
    public Task TellAsync(string line) => Running.StandardInput.WriteLineAsync(line);

    /// <summary>Waits for its end, however it comes, and returns the exit status.</summary>
    public async Task<int> EndedAsync()
    {
        var process = Running;
        try
        {
            await process.WaitForExitAsync().WaitAsync(s_limit);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw new TimeoutException($"the server did not end:\n{Log}");
        }

        _process = null;
        var status = process.ExitCode;
        process.Dispose();
        return status;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }

        // The runner shows a test's output if it failed.
        TestContext.Current.TestOutputHelper?.WriteLine($"--- the server's log:\n{Log}");
        _directory.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    private void Take(string? line, TaskCompletionSource listens)
    {
        if (line is null)
            return;
        TaskCompletionSource saidMore;
        lock (_log)
        {
            _log.AppendLine(line);
            saidMore = _saidMore;
            _saidMore = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        saidMore.TrySetResult();
        if (line.Contains(IsGanesha ? "NFS SERVER INITIALIZED" : "listening", StringComparison.Ordinal))
            listens.TrySetResult();
    }

    private string[] ServerCommand()
    {
        if (IsGanesha)
            return [Machine.NeedShared("peers/ganesha"), Export, "--port", $"{Port}", "--grace", "0"];
        return [_options.Executable ?? Machine.Nfsd, "--export", $"{Export}:{_options.Export}", "--port", $"{Port}", "--state", State, "--rpcbind", _options.Rpcbind, .. _options.Arguments];
    }
}
