using System.Globalization;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Kworker.Apps.Nfsdcltrack;

/// <summary>
/// <c>main.sqlite</c>: the clients that may reclaim after a restart. The schema is nfs-utils' version 2; version 1, which knows no sessions, is brought
/// up to it. Each change is on disk, with its directory entry, when its method returns.
/// </summary>
internal sealed partial class ClientDatabase : IDisposable
{
    public const string FileName = "main.sqlite";

    private const int Version = 2;
    private const int BusyMilliseconds = 10_000;
    private const int DirectoryOnly = 0x10000; // O_RDONLY | O_DIRECTORY
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly sqlite3 _handle;

    static ClientDatabase()
    {
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        raw.FreezeProvider();
    }

    private ClientDatabase(sqlite3 handle) => _handle = handle;

    /// <summary>Opens the database of a directory, or makes it.</summary>
    /// <exception cref="DatabaseException">It cannot be opened or made, or is of a later version.</exception>
    public static ClientDatabase Open(string directory)
    {
        MakeDirectory(directory);
        string path = Path.Combine(directory, FileName);
        int code = raw.sqlite3_open_v2(path, out sqlite3 handle, raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE, null);
        var database = new ClientDatabase(handle);
        try
        {
            database.Check(code, "open the database");
            raw.sqlite3_busy_timeout(handle, BusyMilliseconds);
            // FULL would leave it to chance whether the end of the last transaction outlives a power cut: its journal might come back.
            database.Execute("PRAGMA synchronous = EXTRA");
            database.Prepare();
            return database;
        }
        catch
        {
            database.Dispose();
            throw;
        }
    }

    /// <summary>Records a client, or records it anew.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="hasSession">Whether it speaks 4.1.</param>
    /// <param name="timeIsZero">Whether it has yet to reclaim; else it is of now.</param>
    public void Insert(byte[] id, bool hasSession, bool timeIsZero) => Execute(
        timeIsZero ? "INSERT OR REPLACE INTO clients VALUES (?1, 0, ?2)" : "INSERT OR REPLACE INTO clients VALUES (?1, strftime('%s', 'now'), ?2)",
        statement =>
        {
            Bind(statement, id);
            Check(raw.sqlite3_bind_int(statement, 2, hasSession ? 1 : 0), "bind");
        });

    /// <summary>Whether a client is recorded.</summary>
    public bool Contains(byte[] id) => Number("SELECT count(*) FROM clients WHERE id = ?1", statement => Bind(statement, id)) == 1;

    /// <summary>Makes a client's record one of now.</summary>
    public void Touch(byte[] id) => Execute("UPDATE OR FAIL clients SET time = strftime('%s', 'now') WHERE id = ?1", statement => Bind(statement, id));

    /// <summary>Forgets a client.</summary>
    public void Remove(byte[] id) => Execute("DELETE FROM clients WHERE id = ?1", statement => Bind(statement, id));

    /// <summary>Forgets whoever has not come back since <paramref name="start"/>, in seconds since 1970.</summary>
    public void RemoveBefore(long start) =>
        Execute("DELETE FROM clients WHERE time < ?1", statement => Check(raw.sqlite3_bind_int64(statement, 1, start), "bind"));

    /// <summary>How many may still reclaim after a start: those of before, and those without session, who never say that they have done.</summary>
    public long CountReclaiming(long start) => Number(
        "SELECT count(*) FROM clients WHERE time < ?1 OR has_session != 1",
        statement => Check(raw.sqlite3_bind_int64(statement, 1, start), "bind"));

    public void Dispose() => _handle.Dispose();

    private static void MakeDirectory(string directory)
    {
        if (Directory.Exists(directory))
            return;
        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))) ?? "/";
        if (!Directory.Exists(parent))
            throw new DatabaseException($"Unable to create {directory}: {parent} is not there", ExitCodes.CannotInit);
        try
        {
            Directory.CreateDirectory(directory, Private);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DatabaseException($"Unable to create {directory}: {exception.Message}", ExitCodes.CannotInit);
        }
        // The name of what was made must be on disk before anything in it counts.
        int descriptor = OpenCall(parent, DirectoryOnly);
        if (descriptor < 0)
            return; // A directory that may be written and not read: nothing more can be done for it.
        _ = SyncCall(descriptor);
        _ = CloseCall(descriptor);
    }

    // Only one process at a time makes or upgrades it; a crash in between leaves what was before.
    private void Prepare()
    {
        if (ReadVersion() == Version)
            return;
        Execute("BEGIN EXCLUSIVE TRANSACTION");
        try
        {
            switch (ReadVersion())
            {
                case null:
                    Execute("CREATE TABLE parameters (key TEXT PRIMARY KEY, value TEXT)");
                    Execute("INSERT INTO parameters VALUES ('version', '2')");
                    Execute("CREATE TABLE clients (id BLOB PRIMARY KEY, time INTEGER, has_session INTEGER)");
                    break;
                case 1:
                    Execute("ALTER TABLE clients ADD COLUMN has_session INTEGER");
                    Execute("UPDATE parameters SET value = '2' WHERE key = 'version'");
                    break;
                case Version:
                    break;
                case { } version:
                    throw new DatabaseException(
                        $"Unsupported database schema version! Expected {Version}, got {version.ToString(CultureInfo.InvariantCulture)}.", ExitCodes.Invalid);
            }
            Execute("COMMIT TRANSACTION");
        }
        catch
        {
            raw.sqlite3_exec(_handle, "ROLLBACK TRANSACTION");
            throw;
        }
    }

    /// <returns>Null: the file is new.</returns>
    private long? ReadVersion()
    {
        if (Number("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'parameters'") == 0)
            return null;
        return Number("SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM parameters WHERE key = 'version'");
    }

    private long Number(string text, Action<sqlite3_stmt>? bind = null)
    {
        long number = 0;
        Run(text, bind, statement => number = raw.sqlite3_column_int64(statement, 0));
        return number;
    }

    private void Execute(string text, Action<sqlite3_stmt>? bind = null) => Run(text, bind, null);

    private void Run(string text, Action<sqlite3_stmt>? bind, Action<sqlite3_stmt>? row)
    {
        Check(raw.sqlite3_prepare_v2(_handle, text, out sqlite3_stmt statement), text);
        using (statement)
        {
            bind?.Invoke(statement);
            int code = raw.sqlite3_step(statement);
            while (code == raw.SQLITE_ROW)
            {
                row?.Invoke(statement);
                code = raw.sqlite3_step(statement);
            }
            if (code != raw.SQLITE_DONE)
                Check(code, text);
        }
    }

    private void Bind(sqlite3_stmt statement, byte[] id) => Check(
        id.Length == 0 ? raw.sqlite3_bind_zeroblob(statement, 1, 0) : raw.sqlite3_bind_blob(statement, 1, id), "bind");

    private void Check(int code, string what)
    {
        if (code != raw.SQLITE_OK)
            throw new DatabaseException($"Unable to {what}: {raw.sqlite3_errmsg(_handle).utf8_to_string()}", code & 0xff);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenCall(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int SyncCall(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseCall(int descriptor);
}
