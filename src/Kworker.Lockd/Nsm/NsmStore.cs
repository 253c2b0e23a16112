using System.Net;
using Microsoft.Data.Sqlite;

namespace Kworker.Lockd.Nsm;

/// <summary>
/// What the status monitor must not forget: its state number, the hosts that are monitored, and those that are still to be told of the last
/// restart. An SQLite file; each change is on disk when its method returns. Not thread-safe.
/// </summary>
internal sealed class NsmStore : IDisposable
{
    public const string FileName = "nsm.db";

    private const int NotADatabase = 26; // SQLITE_NOTADB
    private const int Corrupt = 11; // SQLITE_CORRUPT
    private const int Busy = 5; // SQLITE_BUSY

    // What makes version n + 1 of version n; version 0 is the empty file. PRAGMA user_version says which one a file is.
    private static readonly string[] s_upgrades =
    [
        """
        CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL);
        CREATE TABLE hosts (address TEXT NOT NULL, name TEXT NOT NULL, local TEXT, PRIMARY KEY (address, name)) WITHOUT ROWID;
        CREATE TABLE to_notify (address TEXT NOT NULL PRIMARY KEY, local TEXT, is_told INTEGER NOT NULL) WITHOUT ROWID;
        """,
    ];

    private readonly SqliteConnection _database;

    private NsmStore(SqliteConnection database) => _database = database;

    /// <summary>The version that is written.</summary>
    public static int Version => s_upgrades.Length;

    /// <summary>Opens the store of a directory, which is made if it is not there; null: one in memory.</summary>
    /// <exception cref="InvalidDataException">The file is damaged, or of a newer version.</exception>
    /// <exception cref="IOException">It cannot be opened, or another server has it open.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be made.</exception>
    public static NsmStore Open(string? directory)
    {
        string path = ":memory:";
        if (directory is not null)
        {
            Directory.CreateDirectory(directory);
            path = Path.Combine(directory, FileName);
        }
        var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        try
        {
            database.Open();
            var store = new NsmStore(database);
            // One process only; and what is committed is synced, with its directory entry.
            store.Execute("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            store.Upgrade(path);
            return store;
        }
        catch (SqliteException exception)
        {
            database.Dispose();
            throw Explain(exception, path);
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Begins a new life: the state number is raised to an odd one, and whoever was monitored is to be told, in one step.
    /// </summary>
    /// <param name="first">The number to begin with, if there is none.</param>
    /// <returns>The number.</returns>
    public int Begin(int first)
    {
        using SqliteTransaction transaction = _database.BeginTransaction();
        int number = ReadState() is { } last ? Raised(last) : first | 1;
        WriteState(number);
        // By address: a host with two names is one host. Who was not told of the restart before this one still is to be, and who was told, but
        // had no time to get its locks back, is to be told again.
        Execute(
            """
            UPDATE to_notify SET is_told = 0;
            INSERT OR IGNORE INTO to_notify SELECT address, max(local), 0 FROM hosts GROUP BY address;
            DELETE FROM hosts;
            """);
        transaction.Commit();
        return number;
    }

    /// <summary>Stores the state number.</summary>
    public void WriteState(int number) =>
        Execute("INSERT INTO state VALUES (1, $number) ON CONFLICT (one) DO UPDATE SET number = $number", ("$number", number));

    /// <summary>The state number stored; null before the first.</summary>
    public int? ReadState()
    {
        using SqliteCommand command = _database.CreateCommand();
        command.CommandText = "SELECT number FROM state";
        return command.ExecuteScalar() is long number ? (int)number : null;
    }

    /// <summary>The odd number after this one.</summary>
    public static int Raised(int number) => number >= int.MaxValue - 2 || number < 0 ? 1 : (number | 1) == number ? number + 2 : number + 1;

    /// <summary>Adds a host, or replaces what is known of it.</summary>
    public void AddHost(IPAddress address, string name, IPAddress? local) => Execute(
        "INSERT OR REPLACE INTO hosts VALUES ($address, $name, $local)",
        ("$address", address.ToString()), ("$name", name), ("$local", local?.ToString() ?? (object)DBNull.Value));

    /// <summary>Removes a host.</summary>
    public void RemoveHost(IPAddress address, string name) =>
        Execute("DELETE FROM hosts WHERE address = $address AND name = $name", ("$address", address.ToString()), ("$name", name));

    /// <summary>Adds a host that is to be told of a restart that has been.</summary>
    public void AddToNotify(IPAddress address, IPAddress? local) => Execute(
        "INSERT OR IGNORE INTO to_notify VALUES ($address, $local, 0)",
        ("$address", address.ToString()), ("$local", local?.ToString() ?? (object)DBNull.Value));

    /// <summary>A host has been told, but may not have its locks back yet: the next life is to know of it.</summary>
    public void SetTold(IPAddress address) => Execute("UPDATE to_notify SET is_told = 1 WHERE address = $address", ("$address", address.ToString()));

    /// <summary>Those who have been told have their locks back, or have lost them.</summary>
    public void RemoveTold() => Execute("DELETE FROM to_notify WHERE is_told = 1");

    /// <summary>A host has been told too late to get locks back, or given up.</summary>
    public void RemoveToNotify(IPAddress address) => Execute("DELETE FROM to_notify WHERE address = $address", ("$address", address.ToString()));

    /// <summary>The hosts that are to be told, each with the address of ours that it knows.</summary>
    public List<(IPAddress Address, IPAddress? Local)> ListToNotify()
    {
        using SqliteCommand command = _database.CreateCommand();
        command.CommandText = "SELECT address, local FROM to_notify";
        using SqliteDataReader reader = command.ExecuteReader();
        var hosts = new List<(IPAddress, IPAddress?)>();
        while (reader.Read())
        {
            if (IPAddress.TryParse(reader.GetString(0), out IPAddress? address))
                hosts.Add((address, reader.IsDBNull(1) ? null : IPAddress.Parse(reader.GetString(1))));
        }
        return hosts;
    }

    public void Dispose() => _database.Dispose();

    private void Upgrade(string path)
    {
        using SqliteTransaction transaction = _database.BeginTransaction();
        using SqliteCommand command = _database.CreateCommand();
        command.CommandText = "PRAGMA user_version";
        int version = (int)(long)command.ExecuteScalar()!;
        if (version > Version)
        {
            throw new InvalidDataException(
                $"{path} was written by a newer version of this program (format {version}; this one knows up to {Version}). It has been left as it is.");
        }
        if (version == Version)
            return;
        for (int next = version; next < Version; next++)
            Execute(s_upgrades[next]);
        Execute($"PRAGMA user_version = {Version}");
        transaction.Commit();
    }

    private void Execute(string text, params ReadOnlySpan<(string Name, object Value)> parameters)
    {
        using SqliteCommand command = _database.CreateCommand();
#pragma warning disable CA2100 // The texts are this file's own.
        command.CommandText = text;
#pragma warning restore CA2100
        foreach ((string name, object value) in parameters)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }

    internal static Exception Explain(SqliteException exception, string path) => exception.SqliteErrorCode switch
    {
        NotADatabase or Corrupt => new InvalidDataException(
            $"{path} is damaged ({exception.Message}). Without it clients that held locks are not told of a restart.",
            exception),
        Busy => new IOException($"{path} is in use by another server.", exception),
        _ => new IOException($"{path} cannot be used: {exception.Message}", exception),
    };
}
