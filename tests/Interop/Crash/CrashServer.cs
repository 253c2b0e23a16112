using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Kworker.Interop.Crash;

/// <summary>How the server of a run is made.</summary>
/// <param name="Executable">nfsd, or the host of the back end that forgets.</param>
/// <param name="IsPowerCut">Whether it ends by forgetting what was not synced.</param>
/// <param name="Tracking">The program that keeps the record of clients.</param>
/// <param name="Grace">How long clients have to come back.</param>
internal sealed record CrashServerOptions(string Executable, bool IsPowerCut, string Tracking, TimeSpan Grace);

/// <summary>
/// A server that is started and crashed again and again on one directory, one state and one port. Unlike <see cref="Peers.NfsServer"/> it may be killed before it
/// listens, and lines of its log can be waited for one life at a time.
/// </summary>
internal sealed partial class CrashServer : IAsyncDisposable
{
    private const int KeptLines = 4000;
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(1);

    private readonly CrashServerOptions _options;
    private readonly Peers.TemporaryDirectory _directory = new();
    private readonly Lock _lock = new();
    private readonly Queue<string> _log = []; // _lock; the latest lines
    private readonly List<(string Text, TaskCompletionSource Said)> _awaited = []; // _lock; of this life
    private Process? _process;
    private Task _listens = Task.CompletedTask;

    public CrashServer(CrashServerOptions options)
    {
        _options = options;
        Export = _directory.Folder("export");
        State = _directory.Folder("state");
        Port = Peers.Machine.FreePort();
    }

    public string Export { get; }

    public string State { get; }

    public int Port { get; }

    /// <summary>Of this life: ends when it serves.</summary>
    public Task Listens => _listens;

    /// <summary>Of this life: whether it has ended, however.</summary>
    public bool HasEnded => _process?.HasExited ?? true;

    public string Log
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _log);
        }
    }

    /// <summary>Begins a life; does not wait until it serves.</summary>
    public void Start()
    {
        var start = new ProcessStartInfo(_options.Executable,
            [
                "--export", $"{Export}:rw,insecure,no_root_squash", "--port", $"{Port}", "--state", State, "--rpcbind", "none",
                "--grace", _options.Grace.TotalSeconds.ToString(CultureInfo.InvariantCulture), "--lease", "600", "--cltrack", _options.Tracking, "--log-level", "debug",
            ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["DOTNET_ROOT"] = Peers.Machine.DotnetRoot;
        start.Environment["DOTNET_TieredPGO"] = "0"; // each life is short
        var process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.OutputDataReceived += (_, e) => Take(e.Data);
        process.ErrorDataReceived += (_, e) => Take(e.Data);
        var listens = SaysAsync("listening");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.Exited += (_, _) => ended.TrySetResult();
        _listens = ListenAsync();
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        async Task ListenAsync()
        {
            if (await Task.WhenAny(listens, ended.Task).WaitAsync(s_limit) != listens)
                throw new InvalidOperationException("the server ended before it listened");
        }
    }

    /// <summary>Ends when this life, or the one that is about to begin, logs a line with <paramref name="text"/>.</summary>
    public Task SaysAsync(string text)
    {
        var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
            _awaited.Add((text, said));
        return said.Task;
    }

    /// <summary>The crash.</summary>
    /// <returns>How many bytes of files were forgotten.</returns>
    public async Task<long> CrashAsync()
    {
        var process = _process!;
        long lost = 0;
        if (_options.IsPowerCut && _listens.IsCompletedSuccessfully)
        {
            var said = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            process.OutputDataReceived += (_, e) =>
            {
                if (e.Data?.StartsWith("lost ", StringComparison.Ordinal) == true)
                    said.TrySetResult(e.Data);
            };
            await process.StandardInput.WriteLineAsync("cut 0");
            await process.StandardInput.FlushAsync();
            lost = long.Parse((await said.Task.WaitAsync(s_limit))["lost ".Length..], CultureInfo.InvariantCulture);
        }
        process.Kill();
        await EndedAsync();
        return lost;
    }

    /// <summary>The end in good order; the exit status.</summary>
    public Task<int> StopAsync()
    {
        if (_options.IsPowerCut)
            _process!.StandardInput.Close();
        else
            _ = Kill(_process!.Id, 15);
        return EndedAsync();
    }

    /// <summary>Kills the helpers that the server runs at this moment; how many.</summary>
    public int KillHelpers()
    {
        var killed = 0;
        try
        {
            foreach (var task in Directory.GetDirectories($"/proc/{_process!.Id}/task"))
            {
                foreach (var child in File.ReadAllText(Path.Combine(task, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    if (Kill(int.Parse(child, CultureInfo.InvariantCulture), 9) == 0)
                        killed++;
                }
            }
        }
        catch (IOException)
        {
            return killed; // threads come and go
        }
        return killed;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _directory.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int process, int signal);

    private async Task<int> EndedAsync()
    {
        var process = _process!;
        await process.WaitForExitAsync().WaitAsync(s_limit);
        _process = null;
        lock (_lock)
            _awaited.Clear();
        var status = process.ExitCode;
        process.Dispose();
        return status;
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        lock (_lock)
        {
            _log.Enqueue(line);
            if (_log.Count > KeptLines)
                _log.Dequeue();
            for (var i = _awaited.Count - 1; i >= 0; i--)
            {
                if (!line.Contains(_awaited[i].Text, StringComparison.Ordinal))
                    continue;
                _awaited[i].Said.TrySetResult();
                _awaited.RemoveAt(i);
            }
        }
    }
}
