using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

// READ, WRITE, COMMIT.
public abstract partial class Nfs3Specification
{
    [Fact]
    public void What_was_written_is_read()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Attr before = Client.MustGetAttr(file);
        var data = new byte[100_001];
        new Random(1).NextBytes(data);
        Written written = Client.Write(file, 0, data);
        Assert.Equal((Stat.Ok, 100_001u, 2u), (written.Status, written.Count, written.Committed));
        AssertChanged(file, before, written.Wcc);

        DataRead read = Client.Read(file, 0, 200_000);
        Assert.Equal(data, read.Data);
        Assert.True(read.Eof);
        Assert.Equal(100_001ul, read.Attr!.Size);
        read = Client.Read(file, 3, 5);
        Assert.Equal(data[3..8], read.Data);
        Assert.False(read.Eof);
    }

    [Fact]
    public void Read_ends_where_the_file_ends()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Client.Write(file, 0, "0123456789"u8);
        Assert.True(Client.Read(file, 5, 5).Eof);
        Assert.False(Client.Read(file, 5, 4).Eof);
        foreach (ulong offset in (ulong[])[10, 11, 1ul << 40, long.MaxValue])
        {
            DataRead past = Client.Read(file, offset, 100);
            Assert.Equal((Stat.Ok, true, 0), (past.Status, past.Eof, past.Data.Length));
        }
        Assert.Empty(Client.Read(file, 3, 0).Data);
    }

    [Theory]
    [InlineData(1ul << 63)]
    [InlineData(ulong.MaxValue)]
    public void Offsets_past_all_files_are_answered(ulong offset)
    {
        byte[] file = Client.MustCreate(Root, "file");
        Client.Write(file, 0, "0123456789"u8);
        DataRead read = Client.Read(file, offset, 100);
        Assert.Equal((Stat.Ok, true, 0), (read.Status, read.Eof, read.Data.Length));
        Assert.Contains(Client.Write(file, offset, "x"u8).Status, new[] { Stat.FBig, Stat.Inval });
        Assert.Equal(10ul, Client.MustGetAttr(file).Size);
        Assert.Equal(Stat.Ok, Client.Commit(file, offset, 10).Status);
    }

    [Fact]
    public void Read_gives_no_more_than_fsinfo_allows()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Client.Write(file, 0, new byte[1 << 20]);
        Client.Write(file, 1 << 20, new byte[1 << 20]);
        DataRead read = Client.Read(file, 0, uint.MaxValue);
        Assert.Equal(1 << 20, read.Data.Length);
        Assert.False(read.Eof);
    }

    [Fact]
    public void Read_and_write_of_a_directory_are_invalid()
    {
        DataRead read = Client.Read(Root, 0, 10);
        Assert.Equal(Stat.Inval, read.Status);
        Assert.NotNull(read.Attr);
        Written written = Client.Write(Root, 0, "x"u8);
        Assert.Equal(Stat.Inval, written.Status);
        Assert.NotNull(written.Wcc.After);
    }

    [Fact]
    public void Write_says_how_stable_it_is_and_keeps_its_verifier()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Written unstable = Client.Write(file, 0, "abc"u8, stable: 0);
        Written data = Client.Write(file, 3, "def"u8, stable: 1);
        Written full = Client.Write(file, 6, "ghi"u8, stable: 2);
        Assert.True(data.Committed >= 1);
        Assert.Equal(2u, full.Committed);
        Committed committed = Client.Commit(file);
        Assert.Equal(Stat.Ok, committed.Status);
        Assert.NotNull(committed.Wcc.After);
        Assert.All([data.Verifier, full.Verifier, committed.Verifier], verifier => Assert.Equal(unstable.Verifier, verifier));
        Assert.Equal("abcdefghi"u8, Client.Read(file, 0, 100).Data);
    }

    [Fact]
    public void Write_leaves_a_hole_that_reads_as_zeros()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal(Stat.Ok, Client.Write(file, 5, "end"u8).Status);
        Assert.Equal("\0\0\0\0\0end"u8, Client.Read(file, 0, 100).Data);
    }

    [Fact]
    public void Write_takes_count_bytes_of_the_data_and_no_more_than_there_are()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal((Stat.Ok, 3u), (Client.Write(file, 0, "abcdef"u8, count: 3) is var written ? written.Status : 0, written.Count));
        Assert.Equal(3ul, Client.MustGetAttr(file).Size);
        Assert.Equal(Stat.Inval, Client.Write(file, 0, "abcdef"u8, count: 7).Status);
        Assert.Equal((Stat.Ok, 0u), (Client.Write(file, 0, []) is var none ? none.Status : 1, none.Count));
    }

    [Fact]
    public void Commit_of_what_is_gone_is_stale()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Client.Remove(Root, "file"u8);
        Assert.Equal(Stat.Stale, Client.Commit(file).Status);
        Assert.Equal(Stat.Stale, Client.Write(file, 0, "x"u8).Status);
        Assert.Equal(Stat.Stale, Client.Read(file, 0, 1).Status);
    }
}
