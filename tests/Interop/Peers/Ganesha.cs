using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>NFS-Ganesha, in a network of its own with a rpcbind: a server not of our making, for our client.</summary>
internal sealed partial class Ganesha : IPeerServer
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int Port = 20490;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly PrivateNetwork _network;
    private readonly TemporaryDirectory _directory;
    private readonly int _grace;
    private readonly StringBuilder _log = new();
    private Process? _process;

    private Ganesha(PrivateNetwork network, TemporaryDirectory directory, int grace)
    {
        _network = network;
        _directory = directory;
        _grace = grace;
        Export = directory.Folder("export");
    }

    /// <summary>The exported directory.</summary>
    public string Export { get; }

    /// <summary>Where it runs.</summary>
    public PrivateNetwork Network => _network;

    /// <summary>Starts one and waits until it serves. The test does not run where there is none.</summary>
    /// <param name="grace">How long clients have after a start to reclaim locks, in seconds.</param>
    /// <param name="monitors">Whether nfs-utils' rpc.statd runs beside it, as its NFSv3 locks need.</param>
    public static async Task<Ganesha> StartAsync(int grace = 0, bool monitors = false)
    {
        Machine.NeedShared("peers/ganesha");
        Machine.NeedCommand("ganesha.nfsd", "nfs-ganesha nfs-ganesha-vfs");
        PrivateNetwork network = await PrivateNetwork.StartAsync(monitors ? PrivateNetwork.Statd : PrivateNetwork.Rpcbind);
        var server = new Ganesha(network, new TemporaryDirectory(), grace);
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it by SIGKILL: it gets no chance to do anything more.</summary>
    public async Task KillAsync()
    {
        Process process = _process ?? throw new InvalidOperationException("the server does not run");
        _process = null;
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }

    /// <summary>Starts it after <see cref="KillAsync"/>; waits until it serves.</summary>
    public async Task StartAgainAsync()
    {
        string[] command = Command(Machine.NeedShared("peers/ganesha"), Export, "--port", $"{Port}", "--grace", $"{_grace}", "--versions", "3");
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        var serves = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, e) => Take(e.Data, serves);
        process.ErrorDataReceived += (_, e) => Take(e.Data, serves);
        process.Exited += (_, _) => serves.TrySetException(new InvalidOperationException("NFS-Ganesha ended before it served"));
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await serves.Task.WaitAsync(s_limit);
    }

    /// <summary>The URL of something in the export, as the server's machine or another one reaches it.</summary>
    public string Url(string path = "", string address = "127.0.0.1") => $"nfs://{address}:{Port}{Export}/{path}";

    public string PathOf(string name) => Path.Combine(Export, name);

    public string[] Command(params string[] command) => [.. _network.RunBy, .. command];

    public string UrlOf(string path) => Url(path);

    public async Task<string> HashAsync(string name)
    {
        await using FileStream file = File.OpenRead(PathOf(name));
        return Convert.ToHexString(await SHA256.HashDataAsync(file));
    }

    public Task<string[]> ListAsync() => Task.FromResult(Directory.GetFileSystemEntries(Export).Select(path => Path.GetFileName(path)).ToArray());

    /// <summary>Stops it where it stands (SIGSTOP): connections stay open, and nobody answers.</summary>
    public void Stall() => Signal(Stop);

    /// <summary>Lets it go on (SIGCONT).</summary>
    public void GoOn() => Signal(Continue);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await KillAsync();
        await _network.DisposeAsync();
        lock (_log)
            TestContext.Current.TestOutputHelper?.WriteLine($"--- the server's log:\n{_log}");
        _directory.Dispose();
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
        int id = _process?.Id ?? throw new InvalidOperationException("the server does not run");
        if (Kill(id, signal) != 0)
            throw new InvalidOperationException($"kill({id}, {signal}): errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);
}
