using System.Text;

namespace Kworker.Nfs.Tests;

/// <summary>The operations, with our server; what stands on its disk is looked at directly.</summary>
public sealed class NfsClientTests
{
    [Fact]
    public async Task I_can_make_write_read_and_remove_a_file()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        await using (NfsFile file = await client.OpenAsync("/a", FileMode.CreateNew, FileAccess.ReadWrite, 0b110_100_000))
        {
            await file.WriteAsync(3, "hello"u8.ToArray());
            byte[] back = new byte[100];
            Assert.Equal(8, await file.ReadAsync(0, back));
            Assert.Equal("\0\0\0hello"u8, back.AsSpan(0, 8));
            Assert.Equal(0, await file.ReadAsync(8, back));
            Assert.Equal(8, (await file.GetAttributesAsync()).Size);
        }
        Assert.Equal("\0\0\0hello", await File.ReadAllTextAsync(served.Local("a")));
        Assert.Equal((UnixFileMode)0b110_100_000, File.GetUnixFileMode(served.Local("a")));
        var taken = await Assert.ThrowsAsync<NfsException>(async () => await client.OpenAsync("a", FileMode.CreateNew, FileAccess.Write));
        Assert.Equal(NfsStatus.Exist, taken.Status);
        await client.RemoveAsync("a");
        Assert.Empty(Directory.GetFileSystemEntries(served.Path));
        var gone = await Assert.ThrowsAsync<NfsException>(async () => await client.OpenAsync("a"));
        Assert.True(gone.IsNotFound);
        Assert.Equal(("LOOKUP", "a"), (gone.Operation, gone.Path));
        Assert.Equal("LOOKUP a: no such file or directory", gone.Message);
    }

    [Fact]
    public async Task I_can_work_with_names()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        await client.CreateDirectoryAsync("d");
        await client.CreateDirectoryAsync("d/e");
        await (await client.OpenAsync("d/f", FileMode.Create, FileAccess.Write)).DisposeAsync();
        await client.CreateSymbolicLinkAsync("l", "d/e/../f");
        await client.CreateHardLinkAsync("d/f", "h");
        Assert.Equal("d/e/../f", await client.ReadLinkAsync("l"));
        Assert.Equal(NfsFileType.SymbolicLink, (await client.GetAttributesAsync("l", followLink: false)).Type);
        NfsAttributes attributes = await client.GetAttributesAsync("l");
        Assert.Equal((NfsFileType.Regular, 2L), (attributes.Type, attributes.LinkCount));
        await client.RenameAsync("h", "d/e/g");
        Assert.True(File.Exists(served.Local("d/e/g")));
        Assert.Equal(NfsStatus.NotEmpty, (await Assert.ThrowsAsync<NfsException>(async () => await client.RemoveDirectoryAsync("d"))).Status);
        await client.RemoveAsync("d/e/g");
        await client.RemoveDirectoryAsync("d/e");
        Assert.Equal(["f"], await client.ListAsync("d").Select(entry => entry.Name).ToArrayAsync());
        await client.CreateSymbolicLinkAsync("loop", "loop");
        await Assert.ThrowsAsync<NfsException>(async () => await client.GetAttributesAsync("loop"));
    }

    [Fact]
    public async Task I_can_list_many_names_and_those_that_are_no_text()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        HashSet<string> names = [.. Enumerable.Range(0, 3000).Select(i => $"file number {i} with a long name, so that many replies are needed")];
        foreach (string name in names)
            await File.WriteAllTextAsync(served.Local(name), "");
        const string odd = "\udcff\udc80 and ü"; // 0xFF 0x80: no UTF-8
        await (await client.OpenAsync(odd, FileMode.CreateNew, FileAccess.Write)).DisposeAsync();
        List<NfsDirectoryEntry> entries = await client.ListAsync("/").ToListAsync();
        Assert.Equal(3001, entries.Count);
        Assert.Equal(names.Append(odd).Order(StringComparer.Ordinal), entries.Select(entry => entry.Name).Order(StringComparer.Ordinal));
        Assert.All(entries, entry => Assert.Equal(NfsFileType.Regular, entry.Attributes!.Type));
        await client.RemoveAsync(odd);
        Assert.Equal(3000, Directory.GetFiles(served.Path).Length);
    }

    [Fact]
    public async Task I_can_change_and_ask_for_attributes()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        await using NfsClient client = await served.MountAsync();
        await File.WriteAllTextAsync(served.Local("a"), "hello");
        var time = new DateTimeOffset(2020, 1, 2, 3, 4, 5, 678, TimeSpan.Zero);
        await client.SetAttributesAsync("a", new NfsAttributeChanges { Mode = 0b100_000_000, Size = 2, ModifyTime = time });
        Assert.Equal("he", await File.ReadAllTextAsync(served.Local("a")));
        NfsAttributes attributes = await client.GetAttributesAsync("a");
        Assert.Equal((0b100_000_000, 2L, time), (attributes.Mode, attributes.Size, attributes.ModifyTime));
        Assert.True((await client.AccessAsync("a", NfsAccess.Read | NfsAccess.Modify)).HasFlag(NfsAccess.Read));
        Assert.True((await client.GetStatisticsAsync()).TotalBytes > 0);
        Assert.Equal(255u, (await client.GetLimitsAsync()).MaximumName);
    }

    [Fact]
    public async Task What_another_client_wrote_before_it_closed_is_seen_by_who_opens()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        var forever = new NfsClientOptions { FileAttributesMinimum = TimeSpan.FromHours(1), FileAttributesMaximum = TimeSpan.FromHours(1) };
        await using NfsClient one = await served.MountAsync(forever);
        await using NfsClient two = await served.MountAsync(forever);
        await using NfsFile mine = await one.OpenAsync("a", FileMode.CreateNew, FileAccess.ReadWrite);
        Assert.Equal(0, (await one.GetAttributesAsync("a")).Size);
        await using (NfsFile theirs = await two.OpenAsync("a", FileMode.Open, FileAccess.Write))
            await theirs.WriteAsync(0, "hello"u8.ToArray());
        Assert.Equal(0, (await one.GetAttributesAsync("a")).Size); // kept for an hour
        await using NfsFile again = await one.OpenAsync("a");
        Assert.Equal(5, (await again.GetAttributesAsync()).Size);
        Assert.Equal(5, (await one.GetAttributesAsync("a")).Size);
    }

    [Fact]
    public async Task A_file_in_the_URL_is_reached_from_what_can_be_mounted()
    {
        await using ServedDirectory served = await ServedDirectory.StartAsync();
        Directory.CreateDirectory(served.Local("d"));
        await File.WriteAllTextAsync(served.Local("d/a"), "hello");
        await using NfsClient client = await NfsClient.MountAsync(served.Url + "/d/a");
        Assert.EndsWith("/a", client.RemainingPath, StringComparison.Ordinal);
        Assert.Equal(5, (await client.GetAttributesAsync(client.RemainingPath)).Size);
        var missing = await Assert.ThrowsAsync<NfsException>(async () => await NfsClient.MountAsync(served.Url.Replace("kworker-nfs", "other", StringComparison.Ordinal)));
        Assert.NotNull(missing.Status);
    }

    [Theory]
    [InlineData("nfs://host/a/b", "host", 0, "/a/b", 0, 0, 111)]
    [InlineData("nfs://host:20/a%20b?mountport=30", "host", 20, "/a b", 30, 0, 111)]
    [InlineData("nfs://host/a?lockport=40", "host", 0, "/a", 0, 40, 111)]
    [InlineData("nfs://host/a?rpcbind=50", "host", 0, "/a", 0, 0, 50)]
    [InlineData("nfs://host:20/a?rpcbind=50&lockport=40&mountport=30", "host", 20, "/a", 30, 40, 50)]
    [InlineData("nfs://[::1]:20/", "::1", 20, "/", 0, 0, 111)]
    public void URLs(string text, string host, int port, string path, int mountPort, int lockPort, int rpcbindPort)
    {
        NfsUrl url = NfsUrl.Parse(text);
        Assert.Equal((host, port, path, mountPort, lockPort, rpcbindPort), (url.Host, url.Port, url.Path, url.MountPort, url.LockPort, url.RpcbindPort));
        NfsUrl other = url.WithPath("/other");
        Assert.Equal((host, port, "/other", mountPort, lockPort, rpcbindPort), (other.Host, other.Port, other.Path, other.MountPort, other.LockPort, other.RpcbindPort));
    }

    [Theory]
    [InlineData("http://host/a")]
    [InlineData("nfs://host")]
    [InlineData("nfs:///a")]
    [InlineData("nfs://host:0/a")]
    [InlineData("nfs://host:x/a")]
    [InlineData("nfs://[::1/a")]
    [InlineData("nfs://host/a?b=1")]
    [InlineData("nfs://host/a?lockport=0")]
    [InlineData("nfs://host/a?rpcbind=65536")]
    [InlineData("nfs://host/a?rpcbind")]
    public void What_is_no_URL_is_refused(string text) => Assert.Throws<FormatException>(() => NfsUrl.Parse(text));

    [Fact]
    public void Every_name_goes_back_as_it_came()
    {
        var random = new Random(1);
        for (int i = 0; i < 1000; i++)
        {
            byte[] bytes = new byte[random.Next(20)];
            random.NextBytes(bytes);
            Assert.Equal(bytes, WireName.Encode(WireName.Decode(bytes)));
        }
        Assert.Equal("ü€😀", WireName.Decode(Encoding.UTF8.GetBytes("ü€😀")));
    }
}
