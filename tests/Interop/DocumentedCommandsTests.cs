using System.Text.RegularExpressions;
using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>
/// Each command in README.md and docs/ is run as it stands there, or is said here to be tried elsewhere, or not to be tried, and why. One that nobody has thought of fails.
/// </summary>
public sealed partial class DocumentedCommandsTests
{
    /// <summary>A server that the documents start, and what they do with it: commands that succeed, and commands that it must print by itself.</summary>
    private sealed record Serving(string Command, string[] Asked, string[] Printed);

    /// <summary>All of them by themselves, in a network of its own where the ports that they name are free.</summary>
    private static readonly Serving[] s_serving =
    [
        new(
            "mkdir -p /tmp/export && dotnet run --project apps/nfsd -- --export /tmp/export:rw,insecure --port 20049",
            ["dotnet run --project apps/nfs -- ls 'nfs://127.0.0.1:20049/tmp/export?mountport=20049'", "nfsd status"], []),
        new(
            "dotnet run --project apps/nfsd -- --export /srv:rw,insecure --port 20049", [],
            [
                "mount -t nfs -o vers=3,proto=tcp,port=20049,mountport=20049,mountproto=tcp,nolock 127.0.0.1:/srv /mnt",
                "mount -t nfs4 -o vers=4.1,port=20049 127.0.0.1:/srv /mnt",
            ]),
        new(
            "nfsd --export /srv:rw --bind 0.0.0.0 --rpcbind builtin",
            ["nfs lock nfs://server/srv/file 0-99 -- COMMAND", "dotnet run --project apps/nfs -- cp -r nfs://server/srv/photos ."], []),
        new("nfsd --config packaging/nfsd.conf --log-level debug", ["nfsd --help", "nfs --help"], []),
        new("nfsd --export /srv:rw,insecure --port 20049 --http 8049", [], []),
    ];

    /// <summary>Those that install it, in their order, into a directory in place of the root.</summary>
    private static readonly string[] s_installing =
    [
        "dotnet publish apps/nfsd --output /usr/lib/kworker",
        "install -D -m 644 packaging/nfsd.conf /etc/kworker/nfsd.conf",
        "install -m 644 packaging/systemd/kworker-nfsd.service packaging/systemd/kworker-nfsd.socket /etc/systemd/system",
        "nfsd --config /etc/kworker/nfsd.conf",
    ];

    private const string OnLinuxClients = "tests/Interop/LinuxKernelClientTests.cs";
    private const string OnLinuxClientsV4 = "tests/Interop/LinuxKernelClientV4Tests.cs";
    private const string HasTests = ": ";

    /// <summary>Tried by other tests, in the file that stands there; or not tried, and why.</summary>
    private static readonly Dictionary<string, string> s_elsewhere = new()
    {
        ["mount -t nfs4 -o vers=4.0,port=20049 127.0.0.1:/srv /mnt"] = OnLinuxClientsV4,
        ["mount -t nfs -o vers=3,proto=tcp server:/srv /mnt"] = OnLinuxClients,
        ["dotnet publish apps/nfsdcltrack"] = "tests/Published/TrackingProgramTests.cs",
        ["nfsd top"] = "tests/Kworker.Nfsd.Tests/App/StatePageTests.cs",
        ["nfsd --http ADDRESS:PORT"] = "tests/Kworker.Nfsd.Tests/App/ProgramTests.cs",
        ["kill -HUP PID"] = "tests/Interop/ReloadTests.cs",
        ["kill PID"] = "tests/Interop/SystemdTests.cs",
        ["systemd-analyze security kworker-nfsd"] = "tests/Interop/ServiceUnitTests.cs",

        ["sudo mount -t nfs -o vers=3,tcp,port=20049,mountport=20049,nolocks,resvport 127.0.0.1:/srv /mnt"] = "not run: it is for macOS",
        ["sudo mount -t nfs -o vers=3,tcp,resvport server:/srv /mnt"] = "not run: it is for macOS",
        ["systemctl daemon-reload"] = "not run: systemd is not process 1 where the tests run",
        ["systemctl enable --now kworker-nfsd.service"] = "not run: systemd is not process 1 where the tests run",
        ["systemctl edit kworker-nfsd.service"] = "not run: systemd is not process 1 where the tests run",
        ["systemctl status kworker-nfsd.service"] = "not run: systemd is not process 1 where the tests run",
        ["systemctl reload kworker-nfsd.service"] = "not run: systemd is not process 1 where the tests run",
        ["systemctl stop nfs-server"] = "not run: it is not for a test to stop the machine's server",
        ["journalctl -u kworker-nfsd -p warning"] = "not run: systemd is not process 1 where the tests run",
        ["podman build --file packaging/container/Containerfile --tag kworker-nfsd ."] = "not run: there is no container engine where the tests run; ContainerfileTests has its parts",
        ["podman run --network host --cap-add DAC_READ_SEARCH --volume /srv:/srv --volume nfsd-state:/var/lib/kworker kworker-nfsd --export /srv:rw --bind 192.0.2.1 --state /var/lib/kworker/nfsd"] =
            "not run: there is no container engine where the tests run; ContainerfileTests has its parts",
        ["tests/run"] = "not run: it is what runs this test",
        ["tests/full"] = "not run: it takes hours",
        ["KWORKER_STRESS_MINUTES=30 dotnet run --project tests/Stress"] = "not run: tests/run does it for less long",
        ["KWORKER_MODELS_PERCENT=2000 dotnet run --project tests/Kworker.Tests -- -namespace Kworker.Tests.Models"] = "not run: tests/run does it for less long",
        ["KWORKER_VECTORS=DIR dotnet test --project tests/Conformance"] = "not run: tests/run does it with the vectors of the tree",
        ["dotnet run --project tests/Interop -- -method \"*two_hundred*\""] = "not run: tests/full does it",
        ["dotnet run -c Release --project bench -- --filter '*'"] = "not run: it measures for an hour",
        ["dotnet run -c Release --project bench -- --filter '*Name*'"] = "not run: it measures for minutes",
        ["dotnet run -c Release --project bench -- scenario dispatch rounds=15"] = "not run: it measures for minutes",
        ["dotnet run -c Release --project bench -- scenario handover"] = "not run: it measures for minutes",
        ["dotnet run -c Release --project bench -- scenario uncontended"] = "not run: it measures for minutes",
        ["dotnet run -c Release --project bench -- scenario asynctrip"] = "not run: it measures for minutes",
        ["dotnet run -c Release --project bench -- scenario wakemany"] = "not run: it measures for minutes",
        ["bench/nfs"] = "not run: it measures for minutes, beside a server that is not in the tree",
        ["bench/nfs /tmp/bench-nfs-dir --runs 3 --seconds 1"] = "not run: it measures for minutes, beside a server that is not in the tree",
        ["dotnet-trace collect --process-id PID --providers Kworker:0x11:Informational"] = "not run: a tool that the tests do not install",
        ["dotnet-trace collect --process-id PID --providers Kworker:0x30:Informational"] = "not run: a tool that the tests do not install",
        ["dotnet-trace collect --process-id PID --providers Kworker"] = "not run: a tool that the tests do not install",
        ["dotnet-trace collect --process-id PID --providers Kworker:0x10:Informational"] = "not run: a tool that the tests do not install",
        ["dotnet tool install -g dotnet-counters"] = "not run: it would change the machine of who runs the tests",
        ["dotnet-counters monitor --process-id PID --counters Kworker"] = "not run: a tool that the tests do not install",
    };

    /// <summary>Names of commands within sentences, not meant to be typed so.</summary>
    private static readonly string[] s_named = ["nfs lock", "systemctl status"];

    private const string Listed = "dotnet run -c Release --project bench -- scenario list";

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code { get; }

    /// <summary>What is meant to be typed, when it stands within a sentence: a program of ours or of the system with an argument, or one of our scripts.</summary>
    [GeneratedRegex(@"^((sudo|dotnet|nfsd|nfs|systemctl|systemd-analyze|journalctl|podman|kill|mount|install|dotnet-\w+) [^<…]|(KWORKER_\w+=\S+ )\w|(tests/(run|full)|bench/nfs)$)")]
    private static partial Regex Typed { get; }

    public static TheoryData<string> Servers => [.. s_serving.Select(serving => serving.Command)];

    [Fact]
    public void Each_is_run_or_it_is_said_why_not()
    {
        string[] known = [.. s_serving.SelectMany(serving => serving.Asked.Concat(serving.Printed).Append(serving.Command)), .. s_installing, .. s_elsewhere.Keys, .. s_named, Listed];
        (string Page, string Command)[] found = [.. Pages.SelectMany(page => CommandsOf(page).Select(command => (Path.GetFileName(page), command)))];
        Assert.Empty(found.Where(one => !known.Contains(one.Command)).Select(one => $"{one.Page}: {one.Command}"));
        Assert.Empty(known.Except(found.Select(one => one.Command))); // what the documents no longer say
        Assert.All(s_elsewhere.Values, where => Assert.True(where.Contains(HasTests, StringComparison.Ordinal) || File.Exists(Path.Combine(Machine.Repository, where)), where));
    }

    [Fact]
    public void Each_block_of_code_says_what_it_is()
    {
        foreach (var page in Pages)
            Assert.All(BlocksOf(page), block => Assert.Contains(block.Language, (string[])["sh", "csharp", "json", "text"]));
    }

    [Theory, MemberData(nameof(Servers))]
    public async Task A_server_serves(string command)
    {
        Machine.NeedRoot("have the ports of the documents in a network of its own");
        var serving = s_serving.Single(one => one.Command == command);
        using var local = new TemporaryDirectory();
        Directory.CreateDirectory(Path.Combine(local.Folder("srv"), "photos"));
        File.WriteAllText(Path.Combine(local.Path, "srv/photos/one"), "a photo");
        File.WriteAllText(Path.Combine(local.Path, "srv/file"), "a file");
        Command.Run("chmod", ["-R", "a+rwX", Path.Combine(local.Path, "srv")]).Succeeds();
        var programs = local.Folder("programs");
        File.CreateSymbolicLink(Path.Combine(programs, "nfsd"), Machine.Nfsd);
        File.CreateSymbolicLink(Path.Combine(programs, "nfs"), Machine.Nfs);
        await using var network = await PrivateNetwork.StartAsync(
            $"mount --bind {local.Path}/srv /srv && cp /etc/hosts /run/hosts && echo 127.0.0.1 server >>/run/hosts && mount --bind /run/hosts /etc/hosts");

        await using var server = Talk.Start([.. network.RunBy, .. InShell(serving.Command, Machine.Repository)]);
        var said = "";
        while (!said.Contains("listening", StringComparison.Ordinal))
            said += await server.HearAsync() ?? throw new InvalidOperationException($"{serving.Command}: it ended:\n{said}{server.Errors}");
        Assert.All(serving.Printed, mount => Assert.Contains(mount, said, StringComparison.Ordinal));
        foreach (var asked in serving.Asked)
            network.Run(InShell(asked, local.Folder("here"))).Succeeds();
        if (serving.Asked.Any(asked => asked.Contains("cp -r", StringComparison.Ordinal)))
            Assert.Equal("a photo", File.ReadAllText(Path.Combine(local.Path, "here/photos/one")));

        // What was built with the tests; nothing of this machine's but what is served.
        string[] InShell(string line, string directory)
        {
            var text = line
                .Replace("dotnet run --project ", $"dotnet run --no-build --configuration {Machine.Configuration} --project {Machine.Repository}/", StringComparison.Ordinal)
                .Replace("/tmp/export", $"{local.Path}/export", StringComparison.Ordinal)
                .Replace(" COMMAND", " true", StringComparison.Ordinal);
            return ["env", $"PATH={programs}:{Environment.GetEnvironmentVariable("PATH")}", $"DOTNET_ROOT={Machine.DotnetRoot}", "bash", "-c", $"cd '{directory}' && {text}"];
        }
    }

    [Fact]
    public async Task What_is_installed_runs()
    {
        using var local = new TemporaryDirectory();
        foreach (var folder in new[] { "usr/lib", "etc/systemd/system", "srv", "state" })
            local.Folder(folder);
        foreach (var line in s_installing[..3])
        {
            var text = line
                .Replace("dotnet publish ", $"dotnet publish --no-build --configuration {Machine.Configuration} -nodeReuse:false ", StringComparison.Ordinal)
                .Replace(" /", $" {local.Path}/", StringComparison.Ordinal);
            Command.Run("bash", ["-c", text], directory: Machine.Repository).Succeeds();
        }

        // Its own directories and port, else to the letter.
        var configuration = Path.Combine(local.Path, "etc/kworker/nfsd.conf");
        var changed = File.ReadAllText(configuration)
            .Replace("export = /srv:rw", $"export = {local.Path}/srv:rw,insecure", StringComparison.Ordinal)
            .Replace("port = 2049", "port = 0", StringComparison.Ordinal)
            .Replace("/var/lib/kworker/nfsd", $"{local.Path}/state", StringComparison.Ordinal)
            .Replace("rpcbind = auto", "rpcbind = none", StringComparison.Ordinal);
        File.WriteAllText(configuration, changed);
        await using var server = Talk.Start(Path.Combine(local.Path, "usr/lib/kworker/nfsd"), "--config", configuration, "--cltrack", Path.Combine(local.Path, "usr/lib/kworker/nfsdcltrack"));
        Assert.Contains($"serving {local.Path}/srv (rw)", await server.HearAsync(), StringComparison.Ordinal);
        Assert.Contains("NFSv4 clients are recorded by", server.Errors, StringComparison.Ordinal);
        server.Signal("TERM");
        Assert.Equal(0, await server.EndsAsync());
    }

    [Fact]
    public void The_scenarios_of_the_benchmarks_are_listed()
    {
        var text = Listed.Replace("dotnet run -c Release ", $"dotnet run --no-build --configuration {Machine.Configuration} ", StringComparison.Ordinal);
        Assert.Contains("dispatch", Command.Run("bash", ["-c", text], directory: Machine.Repository).Succeeds().Output, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Pages =>
        Directory.GetFiles(Path.Combine(Machine.Repository, "docs"), "*.md", SearchOption.AllDirectories).Append(Path.Combine(Machine.Repository, "README.md")).Order();

    private static IEnumerable<string> CommandsOf(string page) => BlocksOf(page)
        .Where(block => block.Language == "sh")
        .SelectMany(block => block.Text.Replace("\\\n", "", StringComparison.Ordinal).Split('\n'))
        .Select(line => line.Split("  #")[0].Trim())
        .Where(line => line.Length > 0 && line[0] != '#')
        .Concat(Code.Matches(ProseOf(page)).Select(match => match.Groups[1].Value).Where(word => Typed.IsMatch(word)))
        .Distinct();

    private static IEnumerable<(string Language, string Text)> BlocksOf(string page) => Parts(page).Where((_, i) => i % 2 == 1)
        .Select(part => part.IndexOf('\n') is var end ? (part[..end].Trim(), part[(end + 1)..]) : default);

    private static string ProseOf(string page) => string.Join('\n', Parts(page).Where((_, i) => i % 2 == 0));

    private static string[] Parts(string page) => $"\n{File.ReadAllText(page)}".Split("\n```");
}
