using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace Kworker.Interop.Peers;

/// <summary>
/// A real Linux kernel in an emulator that runs one of the scripts in <c>guest/</c> against a server of this machine, and says line by
/// line how it goes. Start-up takes seconds; all in it runs at about a twentieth of the machine's speed.
/// </summary>
/// <remarks>
/// The emulator itself fails to boot now and then (an assertion of its own, or a panic before the kernel has started anything). One that ends before its
/// script has said a word is booted once more, and that is told on standard error; whatever ends later counts.
/// </remarks>
internal sealed class LinuxGuest : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    private readonly ProcessStartInfo _start;
    private readonly bool _hears;
    private readonly TemporaryDirectory _put;
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly List<string> _unheard = []; // what was passed over by who listened for something else: of two processes, either may answer first
    private readonly List<string> _said = [];
    private readonly StringBuilder _errors = new();
    private Process _process; // _lock to write
    private Process? _failed; // _lock to write; the one whose boot failed
    private bool _mayBootAgain = true; // _lock; nothing was said by either side, and nobody wants it to end

    private LinuxGuest(ProcessStartInfo start, bool hears, TemporaryDirectory put)
    {
        _start = start;
        _hears = hears;
        _put = put;
        lock (_lock)
            _process = Boot(); // its end waits for this
    }

    /// <summary>The folder with the guest's scripts.</summary>
    public static string Scripts { get; } = Path.Combine(AppContext.BaseDirectory, "guest");

    /// <summary>Boots one that runs <paramref name="script"/> with the mount options and the path of <paramref name="server"/>'s export, then <paramref name="arguments"/>.</summary>
    /// <remarks><paramref name="files"/> are in the guest's <c>/put</c>, beside the scripts.</remarks>
    public static LinuxGuest Start(NfsServer server, string script, IEnumerable<string> arguments, params IEnumerable<string> files) =>
        Start(server.MountOptions, server, script, [], arguments, files);

    /// <summary>The same by NFSv4: <paramref name="version"/> is 4.0 or 4.1. Nothing but the port is named.</summary>
    public static LinuxGuest StartV4(NfsServer server, string version, string script, IEnumerable<string> arguments, params IEnumerable<string> files) =>
        Start($"vers={version},proto=tcp,port={server.Port}", server, script, [], arguments, files);

    /// <summary>Boots guest <paramref name="number"/> of a network, which mounts by NFSv4. It hears what <see cref="TellAsync"/> says.</summary>
    public static LinuxGuest StartV4On(GuestNetwork network, int number, NfsServer server, string version, string script, params IEnumerable<string> arguments) =>
        Start($"vers={version},proto=tcp,port={server.Port}", server, script, ["--net", $"{network.Name}:{number}"], arguments, []);

    /// <summary>Boots guest <paramref name="number"/> of a network where server and guests reach each other, with rpc.statd, as locks need. It hears what <see cref="TellAsync"/> says.</summary>
    public static LinuxGuest StartOn(GuestNetwork network, int number, NfsServer server, string script, params IEnumerable<string> arguments) =>
        Start($"vers=3,proto=tcp,port={server.Port},mountproto=tcp", server, script, ["--net", $"{network.Name}:{number}", "--statd"], arguments, []);

    /// <summary>Boots guest <paramref name="number"/> of a network as a server: Linux's own, which exports <c>/srv</c>. It hears what <see cref="TellAsync"/> says.</summary>
    public static LinuxGuest ServeOn(GuestNetwork network, int number, string script) =>
        Start(script, ["--net", $"{network.Name}:{number}", "--knfsd"], [AddressOn(number)], []);

    /// <summary>The address of guest <paramref name="number"/> of a network.</summary>
    public static string AddressOn(int number) => $"10.77.0.{10 + number}";

    private static LinuxGuest Start(
        string mountOptions, NfsServer server, string script, string[] options, IEnumerable<string> arguments, IEnumerable<string> files) =>
        Start(script, options, [mountOptions, server.Export, .. arguments], files);

    private static LinuxGuest Start(string script, string[] options, IEnumerable<string> arguments, IEnumerable<string> files)
    {
        var linuxClient = Need();
        var put = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(Scripts).Concat(files))
            File.Copy(file, Path.Combine(put.Path, Path.GetFileName(file)));
        var start = new ProcessStartInfo(linuxClient, [
            "--timeout", "1500", "--put", put.Path, .. options, Path.Combine(Scripts, script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
        };
        return new LinuxGuest(start, hears: options.Length > 0, put);
    }

    private Process Boot()
    {
        var process = new Process { StartInfo = _start };
        process.OutputDataReceived += (_, e) => Take(e.Data);
        process.ErrorDataReceived += (_, e) =>
        {
            lock (_errors)
                _errors.AppendLine(e.Data);
        };
        process.Start();
        if (!_hears)
            process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>The test does not run where a guest cannot be booted.</summary>
    public static string Need()
    {
        var path = Machine.NeedShared("linux-client/linux-client");
        Machine.NeedRoot("boot the Linux guest (it installs and builds what it boots)");
        return path;
    }

    /// <summary>Says <paramref name="line"/> to the script.</summary>
    public async Task TellAsync(string line)
    {
        lock (_lock)
            _mayBootAgain = false;
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits until both processes of <c>locks.sh</c> have opened the file.</summary>
    public async Task HasOpenedAsync()
    {
        await SaysAsync("a open");
        await SaysAsync("b open");
    }

    /// <summary>Says <paramref name="command"/> to one of the script's processes, and gives the next that it says.</summary>
    public async Task<string> AskAsync(string process, string command)
    {
        await TellAsync($"{process} {command}");
        return await HearAsync($"{process} ");
    }

    /// <summary>The first line not heard yet that begins with <paramref name="prefix"/>, without it; others are left for who listens for them. One caller at a time.</summary>
    public async Task<string> HearAsync(string prefix) => (await HearAsync(line => line.StartsWith(prefix, StringComparison.Ordinal), $"{prefix}..."))[prefix.Length..];

    /// <summary>Waits until the guest says <paramref name="line"/>, as <see cref="HearAsync(string)"/>.</summary>
    public Task SaysAsync(string line) => HearAsync(next => next == line, line);

    private async Task<string> HearAsync(Predicate<string> isIt, string what)
    {
        if (_unheard.FindIndex(isIt) is >= 0 and var known)
        {
            var line = _unheard[known];
            _unheard.RemoveAt(known);
            return line;
        }

        using var patience = new CancellationTokenSource(s_patience);
        try
        {
            await foreach (var next in _lines.Reader.ReadAllAsync(patience.Token))
            {
                if (isIt(next))
                    return next;
                _unheard.Add(next);
            }
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"the guest did not say '{what}' in {s_patience}:\n{Transcript()}");
        }

        throw new InvalidOperationException($"the guest ended and never said '{what}':\n{Transcript()}");
    }

    /// <summary>Waits for the script's end; every check in it must have been right and there must be <paramref name="checks"/> of them at least.</summary>
    /// <returns>The values that the script told (<c>value NAME VALUE</c>).</returns>
    public async Task<IReadOnlyDictionary<string, string>> EndsWellAsync(int checks)
    {
        await _ended.Task;
        await _process.WaitForExitAsync();
        var failed = _said.Where(line => line.StartsWith("FAILED", StringComparison.Ordinal)).ToList();
        Assert.True(failed.Count == 0, $"{string.Join('\n', failed)}\n--- all:\n{Transcript()}");
        Assert.True(_process.ExitCode == 0 && _said.Contains("end"), $"the guest ended with {_process.ExitCode}:\n{Transcript()}");
        var right = _said.Count(line => line.StartsWith("ok ", StringComparison.Ordinal));
        Assert.True(right >= checks, $"only {right} checks of {checks} were made:\n{Transcript()}");
        return _said.Where(line => line.StartsWith("value ", StringComparison.Ordinal)).Select(line => line.Split(' ', 3)).ToDictionary(words => words[1], words => words[2]);
    }

    public async ValueTask DisposeAsync()
    {
        lock (_lock)
            _mayBootAgain = false;
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _failed?.Dispose();
        _put.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            End();
            return;
        }

        lock (_lock)
            _mayBootAgain = false;
        lock (_said)
            _said.Add(line);
        _lines.Writer.TryWrite(line);
    }

    private void End()
    {
        lock (_lock)
        {
            if (_failed is null && _mayBootAgain)
            {
                Console.Error.WriteLine($"the emulator ended before its script had begun, it is booted again:\n{Transcript()}");
                _failed = _process; // not disposed in its own event
                _process = Boot();
                return;
            }
        }

        _lines.Writer.TryComplete();
        _ended.TrySetResult();
    }

    private string Transcript()
    {
        lock (_said)
        {
            lock (_errors)
                return string.Join('\n', _said) + "\n" + _errors;
        }
    }
}
