using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>Clients of ours in a process of their own (<c>tests/Lock.Host</c>), which do as they are told, many things at once if so told.</summary>
internal sealed class LockClients : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _asked = new();
    private readonly ConcurrentQueue<string> _lost = new();
    private readonly StringBuilder _log = new(); // lock: itself
    private TaskCompletionSource _saidMore = new(TaskCreationOptions.RunContinuationsAsynchronously); // of the next line of the log; lock: _log
    private int _tag;

    private LockClients(Process process) => _process = process;

    /// <summary>Locks that the clients said they have lost.</summary>
    public IReadOnlyCollection<string> Lost => _lost;

    /// <summary>What the clients logged.</summary>
    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Mounts <paramref name="url"/> once from each address, all run by <paramref name="runBy"/>.</summary>
    public static async Task<LockClients> StartAsync(IReadOnlyList<string> runBy, string url, params IEnumerable<string> addresses)
    {
        string[] command = [.. runBy, Machine.LockHost, url, .. addresses];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "../../.."));
        var clients = new LockClients(new Process { StartInfo = start });
        var ready = clients._asked.GetOrAdd("ready", _ => New());
        clients._process.OutputDataReceived += (_, e) => clients.Take(e.Data);
        clients._process.ErrorDataReceived += (_, e) => clients.TakeLog(e.Data);
        clients._process.Start();
        clients._process.BeginOutputReadLine();
        clients._process.BeginErrorReadLine();
        await ready.Task;
        return clients;
    }

    /// <summary>Tells them something, and gives their answer when it comes.</summary>
    public Task<string> DoAsync(string command)
    {
        var tag = Interlocked.Increment(ref _tag).ToString(CultureInfo.InvariantCulture);
        var answer = _asked.GetOrAdd(tag, _ => New());
        lock (_process)
        {
            _process.StandardInput.WriteLine($"{tag} {command}");
            _process.StandardInput.Flush();
        }
        return answer.Task;
    }

    /// <summary>Waits until they have logged <paramref name="text"/>.</summary>
    public async Task LogsAsync(string text)
    {
        while (true)
        {
            Task more;
            lock (_log)
            {
                if (_log.ToString().Contains(text, StringComparison.Ordinal))
                    return;
                more = _saidMore.Task;
            }
            await more.WaitAsync(s_limit);
        }
    }

    /// <summary>All is unlocked and unmounted in good order.</summary>
    public async Task EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        Assert.Equal(0, _process.ExitCode);
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        TestContext.Current.TestOutputHelper?.WriteLine($"--- the clients' log:\n{Log}");
        _process.Dispose();
    }

    private static TaskCompletionSource<string> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void TakeLog(string? line)
    {
        TaskCompletionSource saidMore;
        lock (_log)
        {
            _log.AppendLine(line);
            saidMore = _saidMore;
            _saidMore = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        saidMore.TrySetResult();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            foreach (var asked in _asked.Values)
                asked.TrySetException(new InvalidOperationException($"the clients have ended:\n{Log}"));
            return;
        }

        var words = line.Split(' ', 2);
        if (words[0] == "lost")
            _lost.Enqueue(words[1]);
        else if (_asked.TryRemove(words[0], out var asked))
            asked.SetResult(words.Length > 1 ? words[1] : "");
    }
}
