using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace Kworker.Interop.Peers;

/// <summary>
/// A real Linux kernel in an emulator that runs one of the scripts in <c>guest/</c> against a server of this machine, and says line by
/// line how it goes. Start-up takes seconds; all in it runs at about a twentieth of the machine's speed.
/// </summary>
internal sealed class LinuxGuest : IAsyncDisposable
{
    private readonly Process _process;
    private readonly TemporaryDirectory _put;
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly List<string> _said = [];
    private readonly StringBuilder _errors = new();

    private LinuxGuest(Process process, TemporaryDirectory put)
    {
        _process = process;
        _put = put;
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
        var guest = new LinuxGuest(new Process { StartInfo = start }, put);
        guest._process.OutputDataReceived += (_, e) => guest.Take(e.Data);
        guest._process.ErrorDataReceived += (_, e) =>
        {
            lock (guest._errors)
                guest._errors.AppendLine(e.Data);
        };
        guest._process.Start();
        if (options.Length == 0)
            guest._process.StandardInput.Close();
        guest._process.BeginOutputReadLine();
        guest._process.BeginErrorReadLine();
        return guest;
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
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>The next line of the script that begins with <paramref name="prefix"/>, without it; others are passed over.</summary>
    public async Task<string> HearAsync(string prefix)
    {
        await foreach (var next in _lines.Reader.ReadAllAsync())
        {
            if (next.StartsWith(prefix, StringComparison.Ordinal))
                return next[prefix.Length..];
        }

        throw new InvalidOperationException($"the guest never said '{prefix}...':\n{Transcript()}");
    }

    /// <summary>Waits until the guest says <paramref name="line"/>.</summary>
    public async Task SaysAsync(string line)
    {
        await foreach (var next in _lines.Reader.ReadAllAsync())
        {
            if (next == line)
                return;
        }

        Assert.Fail($"the guest never said '{line}':\n{Transcript()}");
    }

    /// <summary>Waits for the script's end; every check in it must have been right and there must be <paramref name="checks"/> of them at least.</summary>
    /// <returns>The values that the script told (<c>value NAME VALUE</c>).</returns>
    public async Task<IReadOnlyDictionary<string, string>> EndsWellAsync(int checks)
    {
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
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _put.Dispose();
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            _lines.Writer.TryComplete();
            return;
        }

        lock (_said)
            _said.Add(line);
        _lines.Writer.TryWrite(line);
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
