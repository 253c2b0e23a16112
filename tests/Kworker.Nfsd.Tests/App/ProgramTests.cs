using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Kworker.Apps.Nfsd;
using Kworker.Nfsd.Exports;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tests.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace Kworker.Nfsd.Tests.App;

/// <summary>The program nfsd, as far as it can be run in a test's own process.</summary>
public sealed partial class ProgramTests : IDisposable
{
    /// <summary>Output whose first line can be waited for.</summary>
    private sealed class FirstLine : StringWriter
    {
        private readonly TaskCompletionSource<string> _line = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Line => _line.Task;

        public override Task WriteLineAsync(string? value)
        {
            _line.TrySetResult(value!);
            return base.WriteLineAsync(value);
        }
    }

    private static readonly string[] s_quiet = ["--rpcbind", "none", "--log-level", "none"];

    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _state = new();

    public void Dispose()
    {
        _directory.Dispose();
        _state.Dispose();
    }

    [GeneratedRegex(@"^nfsd: listening on 127\.0\.0\.1:(\d+), serving (\S+) \(rw\)\. Mount: (.+)$")]
    private static partial Regex StartupLinePattern { get; }

    [Fact]
    public async Task It_says_in_one_line_what_it_serves_and_ends_in_order()
    {
        using var termination = new Termination();
        var output = new FirstLine();
        var error = new StringWriter();
        Task<int> run = Program.RunAsync(
            ["--export", $"{_directory.Path}:rw,insecure,no_root_squash", "--port", "0", "--bind", "127.0.0.1", "--state", _state.Path, "--rpcbind", "none",
                "--log-level", "none"],
            output, error, termination);
        await Task.WhenAny(run, output.Line);
        Assert.False(run.IsCompleted, error.ToString());

        Match line = StartupLinePattern.Match(await output.Line);
        Assert.True(line.Success, await output.Line);
        int port = int.Parse(line.Groups[1].Value, null);
        Assert.Equal(_directory.Path, line.Groups[2].Value);
        Assert.Equal(
            $"mount -t nfs4 -o vers=4.1,port={port} 127.0.0.1:{_directory.Path} /mnt"
                + $" or: mount -t nfs -o vers=3,proto=tcp,port={port},mountport={port},mountproto=tcp,nolock 127.0.0.1:{_directory.Path} /mnt",
            line.Groups[3].Value);
        using (var client = new Nfs3Client(new IPEndPoint(IPAddress.Loopback, port)))
        {
            byte[] file = client.MustCreate(client.MustMount(_directory.Path), "file");
            Assert.Equal(Stat.Ok, client.Write(file, 0, "content"u8, stable: 0).Status);
        }
        termination.Request();
        Assert.Equal(0, await run);
        Assert.Equal("content", File.ReadAllText(Path.Combine(_directory.Path, "file")));
        Assert.Empty(error.ToString());
        Assert.Equal(16, new FileInfo(Path.Combine(_state.Path, "file-handle-key")).Length);
    }

    [Theory]
    [InlineData(NfsVersions.V3, true, "/srv:rw", "mount -t nfs -o vers=3,proto=tcp,port=20049,mountport=20049,mountproto=tcp 192.0.2.1:/srv /mnt")]
    [InlineData(NfsVersions.V3, false, "/srv:rw", "mount -t nfs -o vers=3,proto=tcp,port=20049,mountport=20049,mountproto=tcp,nolock 192.0.2.1:/srv /mnt")]
    [InlineData(NfsVersions.V4, true, "/srv:rw", "mount -t nfs4 -o vers=4.1,port=20049 192.0.2.1:/srv /mnt")]
    [InlineData(NfsVersions.V40 | NfsVersions.V42, true, "/srv:rw", "mount -t nfs4 -o vers=4.2,port=20049 192.0.2.1:/srv /mnt")]
    [InlineData(NfsVersions.V40, true, "/srv:rw", "mount -t nfs4 -o vers=4.0,port=20049 192.0.2.1:/srv /mnt")]
    [InlineData(NfsVersions.V4, true, "/srv:rw,fsid=0", "mount -t nfs4 -o vers=4.1,port=20049 192.0.2.1:/ /mnt")]
    [InlineData(NfsVersions.V4, true, "/srv/data:rw /srv:rw,fsid=0", "mount -t nfs4 -o vers=4.1,port=20049 192.0.2.1:/data /mnt")]
    public void The_mount_command_is_one_for_what_is_served(NfsVersions versions, bool hasLocks, string exports, string due)
    {
        Export[] served = [.. exports.Split(' ').Select(ExportTable.ParseArgument)];
        Assert.Equal(due, Assert.Single(StartupLine.MountCommands(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 20049), served, versions, hasLocks)));
    }

    [Theory]
    [InlineData("3", "4.0 4.1 4.2")]
    [InlineData("4", "3")]
    [InlineData("4.0", "3 4.1 4.2")]
    [InlineData("4.1", "3 4.0 4.2")]
    [InlineData("4.2 4.0", "3 4.1")]
    public async Task Versions_can_be_left_out(string without, string due)
    {
        using var termination = new Termination();
        var output = new FirstLine();
        var error = new StringWriter();
        Task<int> run = Program.RunAsync(
            ["--export", $"{_directory.Path}:rw,insecure", "--port", "0", "--bind", "127.0.0.1", "--state", _state.Path, .. s_quiet,
                .. without.Split(' ').SelectMany(static version => (string[])["--no-nfs-version", version])],
            output, error, termination);
        await Task.WhenAny(run, output.Line);
        Assert.False(run.IsCompleted, error.ToString());
        int port = int.Parse(StartupLinePattern.Match(await output.Line).Groups[1].Value, null);

        const uint nullProcedure = 0, success = 0, minorVersMismatch = 10021;
        using (var client = new Nfs4Client(new IPEndPoint(IPAddress.Loopback, port)))
        {
            var spoken = new List<string>();
            if (client.Rpc.Call(Nfs4Client.Program, 3, nullProcedure, []).Status == success)
                spoken.Add("3");
            for (uint minor = 0; minor < 3 && client.Rpc.Call(Nfs4Client.Program, 4, nullProcedure, []).Status == success; minor++)
            {
                if (client.Send(Nfs4Client.Compound(minor, [])).Status != minorVersMismatch)
                    spoken.Add($"4.{minor}");
            }
            Assert.Equal(due, string.Join(' ', spoken));
        }
        termination.Request();
        Assert.Equal(0, await run);
    }

    [Theory]
    [InlineData("", 90)]
    [InlineData("--no-nfs-version 3", 90)]
    [InlineData("--no-nfs-version 4.0 --no-nfs-version 4.2", 90)]
    [InlineData("--no-nfs-version 4", 50)]
    [InlineData("--no-nfs-version 4.0 --no-nfs-version 4.1 --no-nfs-version 4.2", 50)]
    [InlineData("--no-nfs-version 4 --grace 90", 90)]
    [InlineData("--grace 50", 50)]
    [InlineData("--grace 0", 0)]
    public void Grace_is_Linuxs_for_the_versions_that_are_served_unless_told_otherwise(string commandLine, int due)
    {
        var line = new CommandLine();
        Settings settings = line.Read(line.Root.Parse(["--export", _directory.Path, .. commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        var options = new NfsServerOptions { Grace = settings.Grace, Versions = settings.Versions };
        Assert.Equal(due, options.MakeLockOptions(NullLogger.Instance).Grace.TotalSeconds);
        Assert.Equal(due, options.MakeStateOptions(NullLogger.Instance).Grace.TotalSeconds);
    }

    [Fact]
    public async Task It_reads_exports_from_a_file()
    {
        string exports = Path.Combine(_state.Path, "exports");
        File.WriteAllText(exports, $"{_directory.Path} 127.0.0.1(rw,insecure)\n");
        using var termination = new Termination();
        termination.Request();
        var output = new StringWriter();
        int exit = await Program.RunAsync(
            ["--exports", exports, "--port", "0", "--bind", "127.0.0.1", "--state", _state.Path, "--rpcbind", "none", "--log-level", "none"],
            output, TextWriter.Null, termination);
        Assert.Equal(0, exit);
        Assert.Contains($"serving {_directory.Path} (rw)", output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, "nothing to serve", "")]
    [InlineData(2, "'--what'", "--what")]
    [InlineData(2, "--export", "--export")]
    [InlineData(2, "--port abc: it is a number from 0 to 65535", "--export DIR --port abc")]
    [InlineData(2, "--port 65536", "--export DIR --port 65536")]
    [InlineData(2, "--drain -1", "--export DIR --drain -1")]
    [InlineData(2, "--bind localhost: that is no address", "--export DIR --bind localhost")]
    [InlineData(2, "--rpcbind maybe: it is one of auto, builtin, system, none", "--export DIR --rpcbind maybe")]
    [InlineData(2, "--log-level loud: it is one of", "--export DIR --log-level loud")]
    [InlineData(2, "unknown option 'bogus'", "--export DIR:rw,bogus")]
    [InlineData(2, "is exported twice", "--export DIR --export DIR")]
    [InlineData(1, "DIR/missing' cannot be served: No such file or directory", "--export DIR/missing")]
    [InlineData(1, "DIR/file' cannot be served: Not a directory", "--export DIR/file")]
    [InlineData(1, "DIR/missing", "--exports DIR/missing")]
    [InlineData(1, "192.0.2.1:0", "--export DIR --port 0 --bind 192.0.2.1")]
    [InlineData(1, "name another directory with --state", "--export DIR --port 0 --state DIR/file")]
    [InlineData(2, "--http abc: it is a port, or an address", "--export DIR --http abc")]
    [InlineData(2, "--http 0.0.0.0:0: others than this machine may see the state page by a password only", "--export DIR --port 0 --http 0.0.0.0:0")]
    [InlineData(2, "it is for --http, which is not given", "--export DIR --http-password-file DIR/file")]
    [InlineData(2, "DIR/file has no password in its first line", "--export DIR --http 0 --http-password-file DIR/file")]
    [InlineData(1, "--http-password-file: ", "--export DIR --http 0 --http-password-file DIR/missing")]
    [InlineData(1, "the state page cannot be served on 192.0.2.1:0", "--export DIR:insecure --port 0 --bind 127.0.0.1 --http 192.0.2.1:0 --http-password-file DIR/password")]
    public async Task What_keeps_it_from_serving_is_one_line_that_says_what_to_do(int exitCode, string due, string commandLine)
    {
        File.WriteAllText(Path.Combine(_directory.Path, "file"), "");
        File.WriteAllText(Path.Combine(_directory.Path, "password"), "secret");
        string[] arguments = commandLine.Replace("DIR", _directory.Path, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (!arguments.Contains("--state"))
            arguments = ["--state", _state.Path, .. arguments];
        await AssertRefused(exitCode, due.Replace("DIR", _directory.Path, StringComparison.Ordinal), [.. arguments]);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        int port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await AssertRefused(
            1, $"cannot listen on 127.0.0.1:{port}: Address already in use. Another server has it", "--export", _directory.Path, "--port", $"{port}", "--state", _state.Path);
    }

    [Theory]
    [InlineData("--help", "--export <PATH[:OPTIONS]>")]
    [InlineData("--version", "0.1.0")]
    public async Task Questions_are_answered(string question, string due)
    {
        using var termination = new Termination();
        var output = new StringWriter();
        Assert.Equal(0, await Program.RunAsync([question], output, TextWriter.Null, termination));
        Assert.Contains(due, output.ToString(), StringComparison.Ordinal);
    }

    private static async Task AssertRefused(int exitCode, string due, params string[] arguments)
    {
        using var termination = new Termination();
        termination.Request(); // Should it serve after all, it ends at once.
        var output = new StringWriter();
        var error = new StringWriter();
        int exit = await Program.RunAsync([.. s_quiet.Where((_, i) => !arguments.Contains(s_quiet[i & ~1])), .. arguments], output, error, termination);
        Assert.Equal((exitCode, ""), (exit, output.ToString()));
        string line = Assert.Single(error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("nfsd: ", line, StringComparison.Ordinal);
        Assert.Contains(due, line, StringComparison.OrdinalIgnoreCase);
    }
}
