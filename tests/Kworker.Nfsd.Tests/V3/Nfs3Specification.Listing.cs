using System.Text;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

// READDIR, READDIRPLUS, FSSTAT, FSINFO, PATHCONF.
public abstract partial class Nfs3Specification
{
    private HashSet<string> Fill(int files)
    {
        var names = new HashSet<string> { ".", ".." };
        for (int i = 0; i < files; i++)
        {
            string name = $"file-{i}-{new string('x', i % 40)}";
            Client.MustCreate(Root, name);
            names.Add(name);
        }
        return names;
    }

    [Theory]
    [InlineData(200u)]
    [InlineData(512u)]
    [InlineData(4096u)]
    [InlineData(65536u)]
    public void Readdir_lists_each_entry_once_and_keeps_to_count(uint count)
    {
        HashSet<string> names = Fill(100);
        var seen = new List<string>();
        ulong cookie = 0, verifier = 0;
        Listed listed;
        do
        {
            listed = Client.ReadDir(Root, cookie, verifier, count);
            Assert.Equal(Stat.Ok, listed.Status);
            Assert.InRange(listed.Size, 0, (int)count);
            Assert.Equal(2u, listed.Dir!.Type);
            seen.AddRange(listed.Entries.Select(entry => Encoding.UTF8.GetString(entry.Name)));
            (cookie, verifier) = (listed.Entries.LastOrDefault()?.Cookie ?? cookie, listed.Verifier);
        }
        while (!listed.Eof);
        Assert.Equal(names.Order(), seen.Order());
    }

    [Theory]
    [InlineData(100u, 500u)]
    [InlineData(512u, 4096u)]
    [InlineData(0u, 4096u)]
    [InlineData(65536u, 65536u)]
    public void Readdirplus_lists_each_entry_once_with_handle_and_attributes(uint dircount, uint maxcount)
    {
        HashSet<string> names = Fill(50);
        var seen = new List<string>();
        ulong cookie = 0, verifier = 0;
        Listed listed;
        do
        {
            listed = Client.ReadDirPlus(Root, cookie, verifier, dircount, maxcount);
            Assert.Equal(Stat.Ok, listed.Status);
            Assert.InRange(listed.Size, 0, (int)maxcount);
            Assert.True(listed.Entries.Count == 1 || listed.Entries.Sum(entry => 20 + ((entry.Name.Length + 3) & ~3)) <= dircount);
            foreach (Entry entry in listed.Entries.Where(entry => entry.Name[0] != '.'))
            {
                Assert.Equal(entry.Fileid, entry.Attr!.Fileid);
                Assert.Equal(MustLookup(Root, Encoding.UTF8.GetString(entry.Name)), entry.Handle);
            }
            seen.AddRange(listed.Entries.Select(entry => Encoding.UTF8.GetString(entry.Name)));
            (cookie, verifier) = (listed.Entries.LastOrDefault()?.Cookie ?? cookie, listed.Verifier);
        }
        while (!listed.Eof);
        Assert.Equal(names.Order(), seen.Order());
    }

    [Fact]
    public void A_listing_survives_changes_between_its_calls()
    {
        HashSet<string> names = Fill(60);
        var seen = new List<string>();
        Listed listed = Client.ReadDir(Root, 0, 0, 600);
        for (int i = 0; !listed.Eof; i++)
        {
            seen.AddRange(listed.Entries.Select(entry => Encoding.UTF8.GetString(entry.Name)));
            Client.MustCreate(Root, $"new-{i}");
            string gone = seen.Last(name => name.StartsWith("file", StringComparison.Ordinal));
            Client.Remove(Root, Encoding.UTF8.GetBytes(gone)); // The very entry that the next call goes on behind.
            listed = Client.ReadDir(Root, listed.Entries[^1].Cookie, listed.Verifier, 600);
            Assert.Equal(Stat.Ok, listed.Status);
        }
        seen.AddRange(listed.Entries.Select(entry => Encoding.UTF8.GetString(entry.Name)));
        Assert.Equal(names.Order(), seen.Where(name => !name.StartsWith("new-", StringComparison.Ordinal)).Order());
    }

    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    [InlineData(103u)]
    [InlineData(110u)]
    public void A_count_that_holds_no_entry_is_too_small(uint count)
    {
        Listed listed = Client.ReadDir(Root, 0, 0, count);
        Assert.Equal(Stat.TooSmall, listed.Status);
        Assert.NotNull(listed.Dir);
        Assert.Equal(Stat.TooSmall, Client.ReadDirPlus(Root, 0, 0, 4096, count).Status);
    }

    [Fact]
    public void A_count_without_end_is_answered_within_reason() => Assert.True(Client.ReadDirPlus(Root, 0, 0, uint.MaxValue, uint.MaxValue).Eof);

    [Fact]
    public void Only_directories_are_listed()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal(Stat.NotDir, Client.ReadDir(file, 0, 0, 4096).Status);
        Assert.Equal(Stat.NotDir, Client.ReadDirPlus(file, 0, 0, 4096, 4096).Status);
    }

    [Fact]
    public void Fsstat_tells_space()
    {
        XdrCursor reply = Client.Call(18, new XdrBytes().Opaque(Root));
        Assert.Equal(Stat.Ok, reply.U32());
        Assert.NotNull(Nfs3Client.ReadPostOpAttr(reply));
        (ulong total, ulong free, ulong available) = (reply.U64(), reply.U64(), reply.U64());
        Assert.True(total >= free && free >= available && total > 0);
        (total, free, available) = (reply.U64(), reply.U64(), reply.U64());
        Assert.True(total >= free && free >= available);
        reply.U32();
        reply.End();
    }

    [Fact]
    public void Fsinfo_tells_sizes_and_abilities()
    {
        XdrCursor reply = Client.Call(19, new XdrBytes().Opaque(Root));
        Assert.Equal(Stat.Ok, reply.U32());
        Assert.NotNull(Nfs3Client.ReadPostOpAttr(reply));
        uint[] sizes = [.. Enumerable.Range(0, 7).Select(_ => reply.U32())];
        Assert.Equal([1u << 20, 1u << 20, 4096u, 1u << 20, 1u << 20, 4096u, 65536u], sizes);
        Assert.True(reply.U64() >= 1ul << 32);
        Assert.Equal(0u, reply.U32());
        Assert.True(reply.U32() > 0);
        Assert.Equal(0x18u, reply.U32() & 0x18);
        reply.End();
    }

    [Fact]
    public void Pathconf_tells_limits_of_names()
    {
        XdrCursor reply = Client.Call(20, new XdrBytes().Opaque(Root));
        Assert.Equal(Stat.Ok, reply.U32());
        Assert.NotNull(Nfs3Client.ReadPostOpAttr(reply));
        Assert.True(reply.U32() > 0);
        Assert.Equal(255u, reply.U32());
        Assert.True(reply.Bool());
        Assert.True(reply.Bool());
        Assert.False(reply.Bool());
        Assert.True(reply.Bool());
        reply.End();
    }
}
