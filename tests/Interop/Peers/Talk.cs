using System.Diagnostics;
using System.Text;

namespace Kworker.Interop.Peers;

/// <summary>A program that a test talks with: line by line on its standard input and output; what it says on standard error is kept.</summary>
internal sealed class Talk : IAsyncDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();
    private TaskCompletionSource _saidMore = new(TaskCreationOptions.RunContinuationsAsynchronously); // of the next line; lock: _errors

    private Talk(Process process) => _process = process;

    /// <summary>All that it said on standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
                return _errors.ToString();
        }
    }

    public bool HasEnded => _process.HasExited;

    public static Talk Start(params string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["DOTNET_ROOT"] = Machine.DotnetRoot;
        var talk = new Talk(new Process { StartInfo = start });
        talk._process.ErrorDataReceived += (_, e) => talk.Take(e.Data);
        talk._process.Start();
        talk._process.BeginErrorReadLine();
        return talk;
    }

    /// <summary>Says a line and returns the answer.</summary>
    public async Task<string?> AskAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        return await HearAsync();
    }

    /// <summary>The next line of its standard output.</summary>
    public async Task<string?> HearAsync() => await _process.StandardOutput.ReadLineAsync().WaitAsync(s_limit);

    /// <summary>Waits until it has said <paramref name="text"/> on standard error.</summary>
    public async Task SaysErrorAsync(string text)
    {
        while (true)
        {
            Task more;
            lock (_errors)
            {
                if (_errors.ToString().Contains(text, StringComparison.Ordinal))
                    return;
                more = _saidMore.Task;
            }
            await more.WaitAsync(s_limit);
        }
    }

    /// <summary>Sends it a signal, by its name without SIG; not to what it has started.</summary>
    public void Signal(string name) => Command.Run("/bin/sh", ["-c", $"kill -{name} {_process.Id}"]).Succeeds();

    /// <summary>Waits for its end; the exit status.</summary>
    public async Task<int> EndsAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(s_limit);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        TestContext.Current.TestOutputHelper?.WriteLine($"--- on standard error:\n{Errors}");
    }

    private void Take(string? line)
    {
        if (line is null)
            return;
        TaskCompletionSource saidMore;
        lock (_errors)
        {
            _errors.AppendLine(line);
            saidMore = _saidMore;
            _saidMore = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        saidMore.TrySetResult();
    }
}
