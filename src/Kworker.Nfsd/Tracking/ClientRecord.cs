using Microsoft.Data.Sqlite;

namespace Kworker.Nfsd.Tracking;

/// <summary>
/// The helper's database as we look into it: nfs-utils' schema, <c>main.sqlite</c>. Only read; nfs-utils' own program tells the kernel through /proc
/// what we find here. Where it cannot be read, nothing is known.
/// </summary>
internal sealed class ClientRecord(string directory)
{
    private const int BusySeconds = 5;

    /// <summary>The latest time of any client, in seconds since 1970; null: there is none, or it cannot be read.</summary>
    public long? LatestTime() => Read("SELECT max(time) FROM clients", 0);

    /// <summary>How many clients are in it.</summary>
    public long? Count() => Read("SELECT count(*) FROM clients", 0);

    /// <summary>
    /// How many may still reclaim after a start: those that have not been heard of since, and those of 4.0, which never say that they have done.
    /// </summary>
    public long? CountReclaiming(long start) => Read("SELECT count(*) FROM clients WHERE time < $start OR has_session != 1", start);

    private long? Read(string text, long start)
    {
        string path = Path.Combine(directory, "main.sqlite");
        if (!File.Exists(path))
            return null;
        using BlockingScope blocking = Worker.Blocking();
        try
        {
            // For writing: what a helper left behind that was killed is rolled back.
            using var database = new SqliteConnection(
                new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadWrite, Pooling = false, DefaultTimeout = BusySeconds }.ToString());
            database.Open();
            using SqliteCommand command = database.CreateCommand();
#pragma warning disable CA2100 // The texts are this file's own.
            command.CommandText = text;
#pragma warning restore CA2100
            command.Parameters.AddWithValue("$start", start);
            return command.ExecuteScalar() is long number ? number : null;
        }
        catch (SqliteException)
        {
            return null;
        }
    }
}
