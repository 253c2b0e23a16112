using System.Globalization;
using Kworker.Interop.Peers;
using Microsoft.Data.Sqlite;

namespace Kworker.Interop;

/// <summary>Our nfsdcltrack beside nfs-utils' own: the same answers to the same commands, on each other's database.</summary>
public sealed class TrackingProgramTests : IDisposable
{
    private static readonly string s_ours = Machine.NfsdCltrack;

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    // Each line: an environment, a "#", arguments. What is done to the database otherwise stands in braces.
    private static readonly string[] s_steps =
    [
        "#", "#-h", "#-x init", "#-s", "#bogus", "#create", "#check", "#remove", "#gracedone", "#-5 init",
        "#check 4c69", "#init", "#init further words", "NFSDCLTRACK_GRACE_START=100#init",
        "#create zz", "#create 4c6", "#check zz", "#check 4c6", "#remove zz", "#remove 4c69", "#gracedone 12x", "#gracedone 5.5",
        "#gracedone 99999999999999999999", "#gracedone 0x10", "#gracedone 010", "#gracedone +5",
        "#create 4c69", "#check 4c69", "#check 4C69", "#-f create 4c6a", "NFSDCLTRACK_CLIENT_HAS_SESSION=Y NFSDCLTRACK_GRACE_START=100#create 4c6b",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=N NFSDCLTRACK_GRACE_START=100#create 4c6c", "NFSDCLTRACK_CLIENT_HAS_SESSION=y#create 4c6d",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=Y#create 4c6a", "#create 4c6b", $"#create {new string('6', 2048)}", $"#create {new string('6', 2050)}",
        "{UPDATE clients SET time = 100}",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=Y#check 4c6d", "NFSDCLTRACK_CLIENT_HAS_SESSION=N#check 4c69", "#check 4c6a", "NFSDCLTRACK_CLIENT_HAS_SESSION=Y#check 4c70",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=N NFSDCLTRACK_LEGACY_RECDIR=$/legacy/0123#check 4c71",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=Y NFSDCLTRACK_LEGACY_RECDIR=$/legacy/4567#check 4c72",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=Y NFSDCLTRACK_LEGACY_RECDIR=$/legacy/none#check 4c73",
        "NFSDCLTRACK_CLIENT_HAS_SESSION=Y NFSDCLTRACK_LEGACY_RECDIR=$/legacy/full#check 4c74",
        "#remove 4c6b", "NFSDCLTRACK_LEGACY_TOPDIR=$/legacy#gracedone 1000", "#gracedone 99999999999",
        "{UPDATE parameters SET value = '3'}", "#init", "#check 4c69", "#gracedone 5",
        "{UPDATE parameters SET value = '2'}", "{DROP TABLE clients}", "#check 4c69",
    ];

    [Fact]
    public void It_answers_and_writes_as_that_of_nfs_utils()
    {
        var real = Real();
        Assert.Equal(Transcript(real, _directory.Folder("real")), Transcript(s_ours, _directory.Folder("ours")));
    }

    [Fact]
    public void A_database_of_version_1_becomes_the_same()
    {
        var real = Real();
        Assert.Equal(Upgrade(real, "real"), Upgrade(s_ours, "ours"));

        string Upgrade(string program, string name)
        {
            var storage = Path.Combine(_directory.Folder(name), "db");
            Directory.CreateDirectory(storage);
            Execute(storage, "CREATE TABLE parameters (key TEXT PRIMARY KEY, value TEXT); INSERT INTO parameters VALUES ('version', '1');"
                + "CREATE TABLE clients (id BLOB PRIMARY KEY, time INTEGER); INSERT INTO clients VALUES (x'4c69', 77);");
            var code = Run(program, storage, "", "check 4c69");
            return $"{code}\n{Dump(storage)}";
        }
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("file")]
    [InlineData("nowhere")]
    public void What_is_no_database_is_refused_the_same(string what)
    {
        var real = Real();
        Assert.Equal(Refusal(real, "real"), Refusal(s_ours, "ours"));

        string Refusal(string program, string name)
        {
            var folder = _directory.Folder(name);
            var storage = Path.Combine(folder, what == "nowhere" ? "a/b" : "db");
            if (what == "garbage")
            {
                Directory.CreateDirectory(storage);
                File.WriteAllText(Path.Combine(storage, "main.sqlite"), "this is not a database, whatever it may be");
            }
            else if (what == "file")
            {
                File.WriteAllText(storage, "");
            }

            return $"{Run(program, storage, "", "init")}";
        }
    }

    [Fact]
    public void Each_goes_on_where_the_other_stopped()
    {
        string[] programs = [Real(), s_ours];
        var storage = Path.Combine(_directory.Path, "db");
        var turn = 0;
        var clients = new SortedSet<string>(StringComparer.Ordinal);
        for (var life = 0; life < 6; life++)
        {
            Assert.Equal(0, Run(Next(), storage, $"NFSDCLTRACK_GRACE_START={life}", "init"));
            foreach (var client in clients)
                Assert.Equal(0, Run(Next(), storage, "NFSDCLTRACK_CLIENT_HAS_SESSION=N", $"check {client}"));
            Assert.Equal(255, Run(Next(), storage, "NFSDCLTRACK_CLIENT_HAS_SESSION=N", "check ffff"));
            Assert.Equal(0, Run(Next(), storage, "", $"gracedone {life}"));
            clients.Add($"4c{life:x2}");
            Assert.Equal(0, Run(Next(), storage, "NFSDCLTRACK_CLIENT_HAS_SESSION=N", $"create 4c{life:x2}"));
            if (life == 3)
            {
                clients.Remove("4c01");
                Assert.Equal(0, Run(Next(), storage, "", "remove 4c01"));
            }

            turn++; // every command is the other's in the next life
        }

        Assert.Equal(clients, Clients(storage));
        // Who is of before is gone for both.
        Execute(storage, "UPDATE clients SET time = 100 WHERE id != x'4c05'");
        Assert.Equal(0, Run(Next(), storage, "", "gracedone 1000"));
        Assert.Equal(["4c05"], Clients(storage));

        string Next() => programs[turn++ % 2];
    }

    [Fact]
    public async Task Commands_at_the_same_time_all_count()
    {
        string[] programs = [Real(), s_ours];
        var storage = Path.Combine(_directory.Path, "db");
        Assert.Equal(0, Run(s_ours, storage, "", "init"));
        var codes = await Task.WhenAll(Enumerable.Range(0, 24).Select(number =>
            Task.Factory.StartNew(() => Run(programs[number % 2], storage, "", $"create {number:x4}"), TaskCreationOptions.LongRunning)));
        Assert.All(codes, code => Assert.Equal(0, code));
        Assert.Equal(24, Clients(storage).Count);
    }

    private static string Real() => Machine.NeedCommand("nfsdcltrack", "nfs-kernel-server");

    private static List<string> Transcript(string program, string folder)
    {
        var storage = Path.Combine(folder, "db");
        foreach (var legacy in new[] { "0123", "4567", "89ab", "full/of" })
            Directory.CreateDirectory(Path.Combine(folder, "legacy", legacy));
        var transcript = new List<string>();
        foreach (var step in s_steps)
        {
            var done = step;
            if (step[0] == '{')
            {
                Execute(storage, step.Trim('{', '}'));
            }
            else
            {
                var parts = step.Split('#', 2);
                done += $" -> {Run(program, storage, parts[0].Replace("$", folder, StringComparison.Ordinal), parts[1])}";
            }

            transcript.Add($"{done}\n{Dump(storage)}\n{string.Join(' ', Directory.GetDirectories(Path.Combine(folder, "legacy")).Select(Path.GetFileName).Order(StringComparer.Ordinal))}");
        }

        return transcript;
    }

    private static int Run(string program, string storage, string environment, string arguments)
    {
        string[] words = ["-s", storage, .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(variable => variable.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        variables["DOTNET_ROOT"] = Machine.DotnetRoot;
        return Command.Run(program, words, variables).ExitCode;
    }

    private static void Execute(string storage, string text)
    {
        using var database = Open(storage);
        using var command = database.CreateCommand();
#pragma warning disable CA2100 // The texts are this file's own.
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>Schema and content; a time of these days is "now".</summary>
    private static string Dump(string storage)
    {
        if (!File.Exists(Path.Combine(storage, "main.sqlite")))
            return "no database";
        using var database = Open(storage);
        var lines = new List<string>();
        Read("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name");
        Read("SELECT key, value FROM parameters ORDER BY key");
        if (lines.Any(line => line.Contains("clients", StringComparison.Ordinal)))
            Read("SELECT hex(id), CASE WHEN time > 1000000 THEN 'now' ELSE time END, typeof(time), has_session, typeof(has_session) FROM clients ORDER BY id");
        return string.Join('\n', lines);

        void Read(string text)
        {
            using var command = database.CreateCommand();
#pragma warning disable CA2100 // The texts are this file's own.
            command.CommandText = text;
#pragma warning restore CA2100
            using var reader = command.ExecuteReader();
            while (reader.Read())
                lines.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount).Select(i => Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }
    }

    private static SortedSet<string> Clients(string storage)
    {
        using var database = Open(storage);
        using var command = database.CreateCommand();
        command.CommandText = "SELECT lower(hex(id)) FROM clients";
        using var reader = command.ExecuteReader();
        var clients = new SortedSet<string>(StringComparer.Ordinal);
        while (reader.Read())
            clients.Add(reader.GetString(0));
        return clients;
    }

    private static SqliteConnection Open(string storage)
    {
        var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(storage, "main.sqlite"), Pooling = false }.ToString());
        database.Open();
        return database;
    }
}
