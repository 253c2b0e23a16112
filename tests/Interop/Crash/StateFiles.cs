using Kworker.Interop.Peers;
using Microsoft.Data.Sqlite;

namespace Kworker.Interop.Crash;

/// <summary>What the server has left in its state directory: each file must be what its reader expects.</summary>
internal static class StateFiles
{
    private const int KeyLength = 16;

    /// <summary>Looks at all files; nobody has them open but a helper that has outlived its server, perhaps.</summary>
    /// <exception cref="InvalidDataException">One of them is damaged, or of nobody knows what.</exception>
    public static void Check(string state)
    {
        // The status monitor's is looked at in a copy, journal and all, so that the server's own recovery is tried by the server; the record, which a helper may
        // write to at this moment, where it is.
        using var copy = new TemporaryDirectory();
        foreach (var file in Directory.GetFiles(state, "nsm.db*"))
            File.Copy(file, Path.Combine(copy.Path, Path.GetFileName(file)));
        foreach (var file in Directory.GetFiles(state, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(state, file);
            switch (name)
            {
                case "nsm.db":
                    CheckDatabase(Path.Combine(copy.Path, name), "SELECT count(*) FROM state, hosts, to_notify");
                    break;
                case "nfsdcltrack/main.sqlite":
                    CheckDatabase(file, "SELECT count(*) FROM clients WHERE time < 0 OR typeof(id) != 'blob'");
                    break;
                case "file-handle-key":
                    if (new FileInfo(file).Length != KeyLength)
                        throw new InvalidDataException($"{name} has {new FileInfo(file).Length} bytes");
                    break;
                case "nfsdcltrack-trust":
                    if (File.ReadAllText(file) is not ("b" or "n"))
                        throw new InvalidDataException($"{name} holds '{File.ReadAllText(file)}'");
                    break;
                case "nfsdcltrack-trust.heard":
                case "control": // the socket of nfsd status, which the next server takes over
                case "lock": // held by the server that lives; nothing stands in it
                    break;
                default:
                    var isJournal = name is "nsm.db-wal" or "nsm.db-shm" or "nsm.db-journal" or "nfsdcltrack/main.sqlite-journal";
                    var isDraft = name.StartsWith("file-handle-key.", StringComparison.Ordinal) && name.EndsWith(".new", StringComparison.Ordinal);
                    if (!isJournal && !isDraft)
                        throw new InvalidDataException($"nobody knows what {name} is for");
                    break;
            }
        }
    }

    private static void CheckDatabase(string file, string query)
    {
        using var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false, DefaultTimeout = 30 }.ToString());
        database.Open();
        if (new FileInfo(file).Length == 0)
            return; // its making was cut short
        var health = Ask(database, "PRAGMA integrity_check");
        if (health is not "ok")
            throw new InvalidDataException($"{file}: {health}");
        if (Ask(database, "SELECT count(*) FROM sqlite_master") is > 0L)
            Ask(database, query);
    }

    private static object? Ask(SqliteConnection database, string text)
    {
        using var command = database.CreateCommand();
#pragma warning disable CA2100 // The texts are this file's own.
        command.CommandText = text;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
