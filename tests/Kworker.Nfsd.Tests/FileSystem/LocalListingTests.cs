using System.Text;
using Kworker.Nfsd.FileSystem;

namespace Kworker.Nfsd.Tests.FileSystem;

/// <summary>Directories, large ones above all, read while they change.</summary>
public sealed class LocalListingTests
{
    private const int Files = 100_000;

    private static void Touch(string path) => File.Create(path).Dispose();

    [Fact]
    public void A_hundred_thousand_entries_are_each_shown_once_while_others_come_and_go()
    {
        using var served = new Served();
        for (int i = 0; i < Files; i++)
            Touch(served.At($"stays-{i}"));
        for (int i = 0; i < 1000; i++)
            Touch(served.At($"goes-{i}"));

        // As READDIR, while files come and go; as READDIRPLUS, while they change back.
        ListAndCheck(served, withFiles: false, leaving: "goes", coming: "comes");
        ListAndCheck(served, withFiles: true, leaving: "comes", coming: "goes");
    }

    private static void ListAndCheck(Served served, bool withFiles, string leaving, string coming)
    {
        var seen = new Dictionary<string, int>();
        int read = 0;
        foreach (Listing.Entry entry in Listing.Of(served, served.Root, entriesPerCall: 120, withFiles))
        {
            string name = Encoding.UTF8.GetString(entry.Name);
            seen[name] = seen.GetValueOrDefault(name) + 1;
            if (++read % 100 == 0 && read / 100 <= 1000)
            {
                // Between two calls, and within the part that is still to come as well as in that which was read.
                File.Delete(served.At($"{leaving}-{read / 100 - 1}"));
                Touch(served.At($"{coming}-{read / 100 - 1}"));
            }
            if (withFiles && entry.File is { Attributes: { } attributes })
                Assert.Equal(attributes.FileId, entry.FileId);
        }
        Assert.All(seen, entry => Assert.Equal(1, entry.Value));
        Assert.Equal(Files, seen.Keys.Count(name => name.StartsWith("stays-", StringComparison.Ordinal)));
        Assert.Contains(".", seen.Keys);
        Assert.Contains("..", seen.Keys);
    }

    [Fact]
    public void Entries_with_files_carry_what_a_look_up_gives()
    {
        using var served = new Served();
        NfsHandle file = served.Create("file");
        NfsHandle directory = served.MakeDirectory("directory");
        Dictionary<string, Listing.Entry> entries = Listing.Of(served, served.Root, withFiles: true).ToDictionary(entry => Encoding.UTF8.GetString(entry.Name));
        Assert.Equal(file, entries["file"].File!.Value.Handle);
        Assert.Equal(served.Attributes(directory), entries["directory"].File!.Value.Attributes);
        Assert.Equal(served.Root, entries["."].File!.Value.Handle);
        Assert.All(Listing.Of(served, served.Root), entry => Assert.Null(entry.File));
    }

    [Fact]
    public void A_reply_that_is_full_goes_on_where_it_ended_whatever_its_size()
    {
        using var served = new Served();
        for (int i = 0; i < 50; i++)
            served.Create($"file-{i}");
        string[] whole = [.. Listing.Of(served, served.Root, 1000).Select(entry => Encoding.UTF8.GetString(entry.Name))];
        Assert.Equal(52, whole.Length);
        foreach (int room in new[] { 1, 2, 7, 51, 52, 53 })
            Assert.Equal(whole, Listing.Of(served, served.Root, room).Select(entry => Encoding.UTF8.GetString(entry.Name)));

        // The end is said with the last entry, not one call later.
        Assert.Equal(NfsStatus.Ok, served.Fs.ReadDirectory(NfsCredentials.Root, served.Root, 0, 0, false, new Listing(52), out NfsDirectoryRead read));
        Assert.True(read.IsEnd);
    }

    [Fact]
    public void Cookies_outlive_the_server_and_wrong_ones_are_refused()
    {
        using var served = new Served();
        for (int i = 0; i < 50; i++)
            served.Create($"file-{i}");
        List<Listing.Entry> whole = [.. Listing.Of(served, served.Root)];
        served.Restart();
        var rest = new Listing(100);
        Assert.Equal(NfsStatus.Ok, served.Fs.ReadDirectory(NfsCredentials.Root, served.Root, whole[9].Cookie, 0, false, rest, out _));
        Assert.Equal(whole.Skip(10).Select(entry => entry.Cookie), rest.Entries.Select(entry => entry.Cookie));
        Assert.Equal(NfsStatus.BadCookie, served.Fs.ReadDirectory(NfsCredentials.Root, served.Root, ulong.MaxValue, 0, false, rest, out _));
        Assert.Equal(NfsStatus.BadCookie, served.Fs.ReadDirectory(NfsCredentials.Root, served.Root, 1, 99, false, rest, out _));
        Assert.Equal(NfsStatus.NotDir, served.Fs.ReadDirectory(NfsCredentials.Root, served.Lookup("file-1"), 0, 0, false, rest, out _));
    }

    [Fact]
    public void Two_readers_of_one_directory_do_not_disturb_each_other()
    {
        using var served = new Served();
        for (int i = 0; i < 500; i++)
            served.Create($"file-{i}");
        int[] counts = new int[4];
        Thread[] readers = [.. Enumerable.Range(0, counts.Length).Select(i => new Thread(() => counts[i] = Listing.Of(served, served.Root, 10 + i).Count()))];
        foreach (Thread reader in readers)
            reader.Start();
        foreach (Thread reader in readers)
            reader.Join();
        Assert.All(counts, count => Assert.Equal(502, count));
    }
}
