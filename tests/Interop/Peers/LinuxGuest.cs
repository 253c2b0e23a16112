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
    private static readonly Lock s_setUp = new();
    private static bool _isSetUp; // s_setUp

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
    /// <param name="server">Reached by this machine's loopback.</param>
    /// <param name="version">3 (without locks), 4.0 or 4.1.</param>
    /// <param name="script">One of the scripts in <see cref="Scripts"/>.</param>
    /// <param name="arguments">More for the script.</param>
    /// <param name="files">What is in the guest's <c>/put</c>, beside the scripts.</param>
    public static LinuxGuest Start(NfsServer server, string version, string script, IEnumerable<string> arguments, params IEnumerable<string> files) =>
        Start(server.MountOptions(version), server, script, [], arguments, files);

    /// <summary>
    /// Boots guest <paramref name="number"/> of a network where server and guests reach each other, with what locks need: for version 3 rpc.statd. It hears what
    /// <see cref="TellAsync"/> says.
    /// </summary>
    public static LinuxGuest StartOn(GuestNetwork network, int number, NfsServer server, string version, string script, params IEnumerable<string> arguments)
    {
        string[] net = ["--net", $"{network.Name}:{number}"];
        return version == "3"
            ? Start($"vers=3,proto=tcp,port={server.Port},mountproto=tcp", server, script, [.. net, "--statd"], arguments, [])
            : Start(server.MountOptions(version), server, script, net, arguments, []);
    }

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
        lock (s_setUp)
        {
            if (!_isSetUp)
                SetUp(path);
            _isSetUp = true;
        }

        return path;
    }

    // Of two guests that are booted at the same time each would build what it boots, and find what the other one has not finished.
    private static void SetUp(string linuxClient) => Command.Run("bash", ["-c", """
        here=${0%/*} base=${LINUX_CLIENT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linux-client}
        [[ $base/ready -nt $here/setup && $base/ready -nt $here/locktool.c ]] || "$here/setup" "$base"
        """, linuxClient]).Succeeds();

    /// <summary>Stops the machine as it stands, network and clock included, until <see cref="Thaw"/>.</summary>
    public void Freeze() => SignalEmulator("STOP");

    /// <summary>Lets it go on.</summary>
    public void Thaw() => SignalEmulator("CONT");

    private void SignalEmulator(string signal)
    {
        var emulator = Assert.Single(Descendants(_process.Id), id => File.ReadAllText($"/proc/{id}/comm").StartsWith("qemu", StringComparison.Ordinal));
        Command.Run("/bin/sh", ["-c", $"kill -{signal} {emulator}"]).Succeeds();
    }

    private static IEnumerable<int> Descendants(int process)
    {
        foreach (var child in File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var id = int.Parse(child, System.Globalization.CultureInfo.InvariantCulture);
            yield return id;
            foreach (var next in Descendants(id))
                yield return next;
        }
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
        if (_hears)
            _process.StandardInput.Close(); // what passes on what it is told has its output open, and does not end before
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
        else if (_hears)
            _process.StandardInput.Close(); // as in EndsWellAsync
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
