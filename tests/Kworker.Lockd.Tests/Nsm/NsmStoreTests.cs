using System.Net;
using Kworker.Lockd.Nsm;
using Microsoft.Data.Sqlite;

namespace Kworker.Lockd.Tests.Nsm;

/// <summary>What the status monitor has said is on disk is there after whatever happens.</summary>
public sealed class NsmStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("nsm-").FullName;

    private string File => Path.Combine(_directory, NsmStore.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private static IPAddress Host(int number) => new([10, 0, (byte)(number >> 8), (byte)number]);

    [Fact]
    public void The_state_number_is_odd_and_rises_with_each_start()
    {
        var states = new List<int>();
        for (int i = 0; i < 3; i++)
        {
            using NsmStore store = NsmStore.Open(_directory);
            states.Add(store.Begin(1000));
        }
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.WriteState(1006); // down in order
            states.Add(store.Begin(1));
        }
        Assert.Equal([1001, 1003, 1005, 1007], states);
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 3)]
    [InlineData(int.MaxValue, 1)]
    [InlineData(int.MaxValue - 1, 1)]
    [InlineData(-5, 1)]
    public void The_number_after_this_one(int number, int next) => Assert.Equal(next, NsmStore.Raised(number));

    [Fact]
    public void Hosts_of_before_are_to_be_told_until_they_were_and_had_time_to_reclaim()
    {
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            store.AddHost(Host(1), "one", IPAddress.Loopback);
            store.AddHost(Host(1), "also one", null);
            store.AddHost(Host(2), "two", null);
            store.AddHost(Host(3), "three", null);
            store.RemoveHost(Host(3), "three");
        }
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            Assert.Equal([(Host(1), IPAddress.Loopback), (Host(2), null)], store.ListToNotify());
            store.SetTold(Host(1)); // told, but killed before grace ended
        }
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            Assert.Equal(2, store.ListToNotify().Count);
            store.SetTold(Host(1));
            store.RemoveTold();
        }
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            Assert.Equal([(Host(2), null)], store.ListToNotify());
        }
    }

    [Fact]
    public void A_process_killed_at_any_moment_forgets_nobody()
    {
        const int Hosts = 40;
        string copies = Path.Combine(_directory, "copies");
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            for (int i = 0; i < Hosts; i++)
            {
                store.AddHost(Host(i), $"host {i}", null);
                // What another process would find now.
                string copy = Directory.CreateDirectory(Path.Combine(copies, $"{i}")).FullName;
                foreach (string file in Directory.GetFiles(_directory))
                    Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }
        }
        for (int i = 0; i < Hosts; i++)
        {
            using NsmStore store = NsmStore.Open(Path.Combine(copies, $"{i}"));
            Assert.Equal(3, store.Begin(1));
            Assert.Equal(i + 1, store.ListToNotify().Count);
        }
    }

    [Fact]
    public void A_journal_cut_anywhere_holds_all_that_was_written_before_the_cut()
    {
        const int Hosts = 12;
        var lengths = new List<long>();
        byte[] database;
        byte[] journal;
        using (NsmStore store = NsmStore.Open(_directory))
        {
            store.Begin(1);
            for (int i = 0; i < Hosts; i++)
            {
                store.AddHost(Host(i), $"host {i}", null);
                lengths.Add(new FileInfo(File + "-wal").Length);
            }
            database = Read(File);
            journal = Read(File + "-wal");
        }
        for (long cut = 0; cut <= journal.Length; cut += 977)
        {
            string directory = Directory.CreateDirectory(Path.Combine(_directory, $"cut-{cut}")).FullName;
            string file = Path.Combine(directory, NsmStore.FileName);
            System.IO.File.WriteAllBytes(file, database);
            System.IO.File.WriteAllBytes(file + "-wal", journal[..(int)cut]);
            using NsmStore store = NsmStore.Open(directory);
            store.Begin(1);
            Assert.InRange(store.ListToNotify().Count, lengths.Count(length => length <= cut), Hosts);
        }
    }

    [Fact]
    public void A_newer_file_is_refused_and_left_alone()
    {
        NsmStore.Open(_directory).Dispose();
        Sql($"PRAGMA user_version = {NsmStore.Version + 1}");
        byte[] before = Read(File);
        var refusal = Assert.Throws<InvalidDataException>(() => NsmStore.Open(_directory));
        Assert.Contains("newer", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(File, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, Read(File));
    }

    [Fact]
    public void An_older_file_is_brought_up_to_date()
    {
        // Version 0: a file without any of ours in it.
        using (var old = new SqliteConnection($"Data Source={File};Pooling=False"))
        {
            old.Open();
            using SqliteCommand command = old.CreateCommand();
            command.CommandText = "PRAGMA user_version = 0; CREATE TABLE somebody_elses (x); INSERT INTO somebody_elses VALUES (1);";
            command.ExecuteNonQuery();
        }
        using NsmStore store = NsmStore.Open(_directory);
        Assert.Equal(5, store.Begin(4));
    }

    [Fact]
    public void A_damaged_file_is_refused_and_named()
    {
        System.IO.File.WriteAllText(File, new string('x', 10_000));
        var refusal = Assert.Throws<InvalidDataException>(() => NsmStore.Open(_directory));
        Assert.Contains(File, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_servers_cannot_share_it()
    {
        using NsmStore first = NsmStore.Open(_directory);
        first.Begin(1);
        var refusal = Assert.Throws<IOException>(() =>
        {
            using NsmStore second = NsmStore.Open(_directory);
            second.Begin(1);
        });
        Assert.Contains("in use", refusal.Message, StringComparison.Ordinal);
    }

    private void Sql(string text)
    {
        using var database = new SqliteConnection($"Data Source={File};Pooling=False");
        database.Open();
        using SqliteCommand command = database.CreateCommand();
#pragma warning disable CA2100 // The test's own.
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    // SQLite has its files open, and locked by fcntl; reading them is nothing to it.
    private static byte[] Read(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static void Copy(string from, string to) => System.IO.File.WriteAllBytes(to, Read(from));
}
