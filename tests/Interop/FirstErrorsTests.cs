using System.Net;
using System.Net.Sockets;
using Kworker.Interop.Peers;
using Microsoft.Data.Sqlite;

namespace Kworker.Interop;

/// <summary>What users meet first when something is wrong: one line on standard error that says what and what to do, and an exit status. To the letter, by the real program.</summary>
public sealed class FirstErrorsTests : IDisposable
{
    private const int CannotServe = 1;
    private const int NotUnderstood = 2;

    private readonly TemporaryDirectory _local = new();
    private readonly string _export;
    private readonly string _state;

    public FirstErrorsTests()
    {
        Assert.SkipWhen(NfsServer.IsGanesha, "not run: it is about our daemon's words");
        _export = _local.Folder("export");
        _state = _local.Folder("state");
    }

    public void Dispose() => _local.Dispose();

    [Fact]
    public void The_port_is_in_use()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        IsRefused(
            CannotServe,
            $"cannot listen on 127.0.0.1:{port}: Address already in use. Another server has it (the kernel's own, perhaps: systemctl stop nfs-server): stop that one, or choose another port with --port.",
            "--export", _export, "--port", $"{port}");
    }

    [Fact]
    public void The_port_is_roots()
    {
        var nobody = Nobody.Of(_local);
        IsRefused(
            CannotServe,
            "cannot listen on 127.0.0.1:99: Permission denied. Ports below 1024 are root's: choose a higher one with --port, as 20049, or run nfsd as root.",
            nobody, "--export", _export, "--port", "99");
    }

    [Fact]
    public void The_export_is_not_there() =>
        IsRefused(CannotServe, $"'{_export}/no' cannot be served: No such file or directory. Export a directory that is there.", "--export", $"{_export}/no", "--port", "0");

    [Fact]
    public void The_export_is_no_directory()
    {
        File.WriteAllText($"{_export}/file", "");
        IsRefused(CannotServe, $"'{_export}/file' cannot be served: Not a directory. Export the directory that it is in.", "--export", $"{_export}/file", "--port", "0");
    }

    [Fact]
    public void The_export_may_not_be_read()
    {
        var nobody = Nobody.Of(_local);
        File.SetUnixFileMode(_export, UnixFileMode.None);
        IsRefused(
            CannotServe, $"'{_export}' cannot be served: Permission denied. Let the user that runs nfsd read it, or run nfsd as root.",
            nobody, "--export", _export, "--port", "0");
    }

    [Fact]
    public async Task Not_root()
    {
        // It serves all the same, and says what that means.
        var nobody = Nobody.Of(_local);
        await using var server = await NfsServer.StartAsync(new ServerOptions { Executable = nobody.Nfsd, Owner = nobody.Owner, RunBy = nobody.RunBy });
        await server.SaysAsync(
            $"Not root: {server.Export} is served with the rights of the user that runs nfsd. Callers are held to mode bits, but what they make "
                + "belongs to that user, nothing can be given to others (chown), and what that user may not read nobody can");
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task No_rpcbind_runs()
    {
        await using var network = await PrivateNetwork.StartAsync();
        IsRefused(
            CannotServe,
            "No rpcbind answers on 127.0.0.1:111: Connection refused. Start it, or let nfsd be it with --rpcbind builtin. "
                + "Clients that are told the port need none, but for locks: --rpcbind none goes without.",
            new Nobody(Machine.Nfsd, network.RunBy, null), "--export", _export, "--port", "0", "--rpcbind", "system");
    }

    [Fact]
    public async Task Another_rpcbind_has_its_port()
    {
        await using var network = await PrivateNetwork.StartAsync(PrivateNetwork.Rpcbind);
        IsRefused(
            CannotServe,
            "The built-in rpcbind cannot listen: rpcbind cannot listen on 127.0.0.1:111: Address already in use. Where one runs already --rpcbind system has us named there; "
                + "port 111 itself is root's. Clients that are told the port need none, but for locks: --rpcbind none goes without.",
            new Nobody(Machine.Nfsd, network.RunBy, null), "--export", _export, "--port", "0", "--rpcbind", "builtin");
    }

    [Theory]
    [InlineData("--no-locks")] // without the status monitor's database, which would refuse by itself
    [InlineData("--no-local-locks")]
    public async Task Another_nfsd_has_the_state(string option)
    {
        await using var other = await NfsServer.StartAsync();
        IsRefused(
            CannotServe, $"{other.State} is in use by another nfsd. Stop that one, or name another directory with --state.",
            "--export", _export, "--port", "0", "--state", other.State, option);
    }

    [Fact]
    public void The_state_cannot_be_kept()
    {
        File.WriteAllText($"{_export}/file", "");
        IsRefused(
            CannotServe, $"state cannot be kept in {_export}/file: The file '{_export}/file' already exists. Name another directory with --state.",
            "--export", _export, "--port", "0", "--state", $"{_export}/file");
    }

    [Fact]
    public void Another_program_locks_the_database()
    {
        using var other = Database("PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE theirs (one INTEGER); BEGIN EXCLUSIVE;");
        IsRefused(
            CannotServe,
            $"which clients hold locks cannot be kept in {_state}: {_state}/nsm.db is in use by another server. "
                + "Name another directory with --state, or serve no locks with --no-locks.",
            "--export", _export, "--port", "0");
    }

    [Fact]
    public void The_database_is_damaged()
    {
        File.WriteAllText($"{_state}/nsm.db", new string('?', 10_000));
        IsRefused(
            CannotServe,
            $"{_state}/nsm.db is damaged (SQLite Error 26: 'file is not a database'.). Without it clients that held locks are not told of a restart. "
                + "Remove it (clients that hold locks then lose them), or name another directory with --state.",
            "--export", _export, "--port", "0");
    }

    [Fact]
    public void The_database_is_newer()
    {
        Database("PRAGMA user_version = 99;").Dispose();
        IsRefused(
            CannotServe,
            $"{_state}/nsm.db was written by a newer version of this program (format 99; this one knows up to 1). It has been left as it is. "
                + "Remove it (clients that hold locks then lose them), or name another directory with --state.",
            "--export", _export, "--port", "0");
    }

    [Fact]
    public void The_key_of_handles_is_damaged()
    {
        File.WriteAllText($"{_state}/file-handle-key", "short");
        IsRefused(
            CannotServe,
            $"'{_state}/file-handle-key' holds no key of file handles: 5 bytes, not 16. Remove it (clients must then mount again), or name another directory with --state.",
            "--export", _export, "--port", "0");
    }

    [Fact]
    public void The_configuration_is_not_there() =>
        IsRefused(
            CannotServe, $"--config: Could not find file '{_export}/nfsd.conf'. Name a file that nfsd may read: [nfsd], then lines as 'port = 2049'.",
            "--config", $"{_export}/nfsd.conf");

    [Fact]
    public void The_configuration_may_not_be_read()
    {
        var nobody = Nobody.Of(_local);
        var file = Configuration("[nfsd]\n");
        File.SetUnixFileMode(file, UnixFileMode.None);
        IsRefused(
            CannotServe, $"--config: Access to the path '{file}' is denied. Name a file that nfsd may read: [nfsd], then lines as 'port = 2049'.", nobody, "--config", file);
    }

    [Theory]
    [InlineData("[nfsd]\nport = 2049\nwhat is this\n", "line 3: 'what is this' is no option: lines are as 'port = 2049'. See nfsd --help.")]
    [InlineData("[nfsd]\nprot = 2049\n", "there is no option 'prot'. See nfsd --help.")]
    [InlineData("[nfsd]\nport = many\n", "--port many: it is a number from 0 to 65535. See nfsd --help.")]
    [InlineData("port = 2049\n", "'port' is not in a section [nfsd], the only one there is.")]
    public void The_configuration_has_a_wrong_line(string text, string due)
    {
        var file = Configuration(text);
        IsRefused(NotUnderstood, $"{file}: {due}", "--config", file, "--export", _export);
    }

    [Fact]
    public void The_exports_are_not_there() =>
        IsRefused(
            CannotServe, $"--exports: Could not find file '{_export}/exports'. Name a file that nfsd may read, or the directories themselves with --export.",
            "--exports", $"{_export}/exports");

    [Fact]
    public void The_state_pages_port_is_in_use()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        IsRefused(
            CannotServe,
            $"the state page cannot be served on 127.0.0.1:{port}: Failed to bind to address http://127.0.0.1:{port}: address already in use. Choose another port with --http.",
            "--export", $"{_export}:ro,insecure", "--port", "0", "--http", $"{port}");
    }

    [Fact]
    public async Task Systemd_passes_what_is_no_tcp_socket()
    {
        var activate = Machine.NeedCommand("systemd-socket-activate", "systemd");
        foreach (var (kind, socket, due) in new[]
        {
            ("--datagram", $"127.0.0.1:{Machine.FreePort()}", "systemd passes no TCP socket, and NFS is served by TCP first of all. Add ListenStream= with the port to its socket unit."),
            ("--seqpacket", Path.Combine(_local.Path, "socket"),
                "systemd passes 'nfs', which is no TCP socket that listens and no UDP socket. In its socket unit let ListenStream= and ListenDatagram= be ports or addresses with ports, and Accept=no."),
        })
        {
            await using var daemon = Talk.Start(
                activate, kind, $"--listen={socket}", "--fdname=nfs", "-E", "DOTNET_ROOT", Machine.Nfsd, "--export", _export, "--state", _state, "--rpcbind", "none");
            await daemon.SaysErrorAsync(" as 3");
            EndPoint endPoint = kind == "--datagram" ? IPEndPoint.Parse(socket) : new UnixDomainSocketEndPoint(socket);
            using var client = new Socket(endPoint.AddressFamily, kind == "--datagram" ? SocketType.Dgram : SocketType.Seqpacket, ProtocolType.Unspecified);
            client.Connect(endPoint);
            if (kind == "--datagram")
                client.Send("anything"u8);
            Assert.Equal(CannotServe, await daemon.EndsAsync());
            await daemon.SaysErrorAsync($"nfsd: {due}");
        }
    }

    private string Configuration(string text)
    {
        var file = Path.Combine(_local.Path, "nfsd.conf");
        File.WriteAllText(file, text);
        return file;
    }

    private SqliteConnection Database(string commands)
    {
        var database = new SqliteConnection($"Data Source={_state}/nsm.db;Pooling=False");
        database.Open();
        using var command = database.CreateCommand();
        command.CommandText = commands;
        command.ExecuteNonQuery();
        return database;
    }

    private void IsRefused(int exitCode, string due, params string[] arguments) => IsRefused(exitCode, due, new Nobody(Machine.Nfsd, [], null), arguments);

    private void IsRefused(int exitCode, string due, Nobody runner, params string[] arguments)
    {
        string[] more = [.. arguments.Contains("--state") ? Array.Empty<string>() : ["--state", _state], .. arguments.Contains("--rpcbind") ? Array.Empty<string>() : ["--rpcbind", "none"]];
        if (runner.Owner is { } owner)
            Command.Run("chown", ["-R", owner, _local.Path]).Succeeds();
        // By warnings it tells of what it serves meanwhile, as root or not; here it is about errors.
        string[] line = [.. runner.RunBy, runner.Nfsd, .. arguments, .. more, "--log-level", "error"];
        var ended = Command.Run(line[0], line[1..], new Dictionary<string, string> { ["DOTNET_ROOT"] = Machine.DotnetRoot });
        Assert.Equal((exitCode, $"nfsd: {due}\n", ""), (ended.ExitCode, ended.Error, ended.Output));
    }
}
