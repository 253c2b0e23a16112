using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>NFS-Ganesha, in a network of its own with a rpcbind: a server not of our making, for our client.</summary>
internal sealed partial class Ganesha : IAsyncDisposable
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int Port = 20490;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly PrivateNetwork _network;
    private readonly TemporaryDirectory _directory;
    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private Ganesha(PrivateNetwork network, TemporaryDirectory directory, Process process)
    {
        _network = network;
        _directory = directory;
        _process = process;
        Export = directory.Folder("export");
    }

    /// <summary>The exported directory.</summary>
    public string Export { get; }

    /// <summary>Starts one and waits until it serves. The test does not run where there is none.</summary>
    public static async Task<Ganesha> StartAsync()
    {
        string ganesha = Machine.NeedShared("peers/ganesha");
        Machine.NeedCommand("ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs");
        string rpcbind = Machine.NeedCommand("rpcbind", "rpcbind");
        PrivateNetwork network = await PrivateNetwork.StartAsync($"mkdir -p /run/rpcbind && {rpcbind}");
        var directory = new TemporaryDirectory();
        var start = new ProcessStartInfo(
            network.RunBy[0], [.. network.RunBy.Skip(1), ganesha, directory.Folder("export"), "--port", $"{Port}", "--grace", "0", "--versions", "3"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new Ganesha(network, directory, new Process { StartInfo = start, EnableRaisingEvents = true });
        try
        {
            await server.RunAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public string Url(string path = "") => $"nfs://127.0.0.1:{Port}{Export}/{path}";

    public string PathOf(string name) => Path.Combine(Export, name);

    /// <summary>A command line that runs where the server can be reached.</summary>
    public string[] Command(params string[] command) => [.. _network.RunBy, .. command];

    /// <summary>Runs <c>nfs</c> with arguments to its end.</summary>
    public Command Nfs(params string[] arguments)
    {
        string[] command = Command([Machine.Nfs, .. arguments]);
        return Peers.Command.Run(command[0], command[1..], new Dictionary<string, string> { ["DOTNET_ROOT"] = Machine.DotnetRoot });
    }

    /// <summary>Stops it where it stands (SIGSTOP): connections stay open, and nobody answers.</summary>
    public void Stall() => Signal(Stop);

    /// <summary>Lets it go on (SIGCONT).</summary>
    public void GoOn() => Signal(Continue);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _network.DisposeAsync();
        lock (_log)
            TestContext.Current.TestOutputHelper?.WriteLine($"--- the server's log:\n{_log}");
        _directory.Dispose();
    }

    private async Task RunAsync()
    {
        var serves = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _process.OutputDataReceived += (_, e) => Take(e.Data, serves);
        _process.ErrorDataReceived += (_, e) => Take(e.Data, serves);
        _process.Exited += (_, _) => serves.TrySetException(new InvalidOperationException("NFS-Ganesha ended before it served"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await serves.Task.WaitAsync(s_limit);
    }

    private void Take(string? line, TaskCompletionSource serves)
    {
        if (line is null)
            return;
        lock (_log)
            _log.AppendLine(line);
        if (line.Contains("NFS SERVER INITIALIZED", StringComparison.Ordinal))
            serves.TrySetResult();
    }

    // nsenter and the script become the server: it is the process that was started.
    private void Signal(int signal)
    {
        if (Kill(_process.Id, signal) != 0)
            throw new InvalidOperationException($"kill({_process.Id}, {signal}): errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
