using System.Text;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

// LOOKUP, CREATE, MKDIR, REMOVE, RMDIR, RENAME.
public abstract partial class Nfs3Specification
{
    [Fact]
    public void Lookup_finds_a_name_and_tells_both_attributes()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Looked looked = Client.Lookup(Root, "file"u8);
        Assert.Equal(Stat.Ok, looked.Status);
        Assert.Equal(file, looked.Handle);
        Assert.Equal(Client.MustGetAttr(file), looked.Attr);
        Assert.Equal(2u, looked.Dir!.Type);
    }

    [Fact]
    public void Lookup_of_dot_and_dot_dot()
    {
        byte[] directory = MustMakeDirectory(Root, "directory");
        Assert.Equal(directory, Client.Lookup(directory, "."u8).Handle);
        Assert.Equal(Root, Client.Lookup(directory, ".."u8).Handle);
        Assert.Equal(Root, Client.Lookup(Root, ".."u8).Handle);
    }

    [Fact]
    public void Lookup_that_fails_tells_the_directorys_attributes()
    {
        byte[] file = Client.MustCreate(Root, "file");
        Looked missing = Client.Lookup(Root, "missing"u8);
        Assert.Equal(Stat.NoEnt, missing.Status);
        Assert.Equal(2u, missing.Dir!.Type);
        Assert.Equal(Stat.NotDir, Client.Lookup(file, "x"u8).Status);
    }

    public static TheoryData<string, uint> BadNames => new()
    {
        { "", Stat.Acces },
        { "a/b", Stat.Acces },
        { "/", Stat.Acces },
        { "a\0b", Stat.Acces },
        { new string('n', 256), Stat.NameTooLong },
        { new string('n', 5000), Stat.NameTooLong },
    };

    [Theory]
    [MemberData(nameof(BadNames))]
    public void Names_that_cannot_be_are_refused_by_every_procedure(string name, uint due)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        byte[] file = Client.MustCreate(Root, "file");
        Assert.Equal(due, Client.Lookup(Root, bytes).Status);
        Assert.Equal(due, Client.Create(Root, bytes).Status);
        Assert.Equal(due, Client.Create(Root, bytes, 2, verifier: 1).Status);
        Assert.Equal(due, Client.MkDir(Root, bytes).Status);
        Assert.Equal(due, Client.SymLink(Root, bytes, "target"u8).Status);
        Assert.Equal(due, Client.MkNod(Root, bytes, 7).Status);
        Assert.Equal(due, Client.Remove(Root, bytes).Status);
        Assert.Equal(due, Client.RmDir(Root, bytes).Status);
        Assert.Equal(due, Client.Rename(Root, bytes, Root, "x"u8).Status);
        Assert.Equal(due, Client.Rename(Root, "file"u8, Root, bytes).Status);
        Assert.Equal(due, Client.Link(file, Root, bytes).Status);
    }

    [Theory]
    [InlineData(".")]
    [InlineData("..")]
    public void Dot_and_dot_dot_can_neither_be_made_nor_removed(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        byte[] directory = MustMakeDirectory(Root, "directory");
        Client.MustCreate(directory, "file");
        Assert.Equal(Stat.Exist, Client.Create(directory, bytes).Status);
        Assert.Equal(Stat.Exist, Client.MkDir(directory, bytes).Status);
        Assert.Equal(Stat.Exist, Client.SymLink(directory, bytes, "target"u8).Status);
        Assert.Equal(Stat.Exist, Client.MkNod(directory, bytes, 7).Status);
        Assert.Equal(Stat.Exist, Client.Link(MustLookup(directory, "file"), directory, bytes).Status);
        Assert.Equal(Stat.Acces, Client.Remove(directory, bytes).Status);
        Assert.Equal(name == "." ? Stat.Inval : Stat.Exist, Client.RmDir(directory, bytes).Status);
        Assert.Equal(Stat.Inval, Client.Rename(directory, bytes, Root, "x"u8).Status);
        Assert.Equal(Stat.Inval, Client.Rename(directory, "file"u8, directory, bytes).Status);
    }

    [Fact]
    public void Names_are_bytes()
    {
        byte[][] names = [[0xff, 0xfe], "new\nline"u8.ToArray(), "  "u8.ToArray(), [1], Encoding.UTF8.GetBytes(new string('n', 255)), "ü"u8.ToArray(), "..."u8.ToArray()];
        foreach (byte[] name in names)
            Assert.Equal(Stat.Ok, Client.Create(Root, name).Status);
        List<Entry> entries = Client.ReadDir(Root, 0, 0, 65536).Entries;
        foreach (byte[] name in names)
        {
            Assert.Single(entries, entry => entry.Name.AsSpan().SequenceEqual(name));
            Assert.Equal(Stat.Ok, Client.Lookup(Root, name).Status);
        }
    }

    [Fact]
    public void Create_unchecked_takes_what_is_there()
    {
        Attr before = Client.MustGetAttr(Root);
        Made first = Client.Create(Root, "file"u8, 0, new Sattr { Mode = 0x1a4 });
        Assert.Equal(Stat.Ok, first.Status);
        Assert.Equal(0x1a4u, first.Attr!.Mode);
        AssertChanged(Root, before, first.Dir);
        Client.Write(first.Handle!, 0, "content"u8);

        Made again = Client.Create(Root, "file"u8, 0, new Sattr { Mode = 0x180 });
        Assert.Equal(Stat.Ok, again.Status);
        Assert.Equal(first.Handle, again.Handle);
        Assert.Equal(7ul, again.Attr!.Size);

        Assert.Equal(Stat.Ok, Client.Create(Root, "file"u8, 0, new Sattr { Size = 0 }).Status);
        Assert.Equal(0ul, Client.MustGetAttr(first.Handle!).Size);
    }

    [Fact]
    public void Create_guarded_refuses_a_name_that_is_taken()
    {
        Assert.Equal(Stat.Ok, Client.Create(Root, "file"u8, 1).Status);
        Made again = Client.Create(Root, "file"u8, 1);
        Assert.Equal(Stat.Exist, again.Status);
        Assert.NotNull(again.Dir.After);
        MustMakeDirectory(Root, "directory");
        Assert.Equal(Stat.Exist, Client.Create(Root, "directory"u8, 0).Status);
    }

    [Fact]
    public void Create_exclusive_knows_its_own_retransmission()
    {
        Made first = Client.Create(Root, "file"u8, 2, verifier: 0x1122334455667788);
        Assert.Equal(Stat.Ok, first.Status);
        Made again = Client.Create(Root, "file"u8, 2, verifier: 0x1122334455667788);
        Assert.Equal(Stat.Ok, again.Status);
        Assert.Equal(first.Handle, again.Handle);
        Assert.Equal(Stat.Exist, Client.Create(Root, "file"u8, 2, verifier: 0x1122334455667789).Status);
    }

    [Fact]
    public void Create_in_a_file_is_refused() => Assert.Equal(Stat.NotDir, Client.Create(Client.MustCreate(Root, "file"), "x"u8).Status);

    [Fact]
    public void Mkdir_makes_a_directory_once()
    {
        Attr before = Client.MustGetAttr(Root);
        Made made = Client.MkDir(Root, "directory"u8, new Sattr { Mode = 0x1c0 });
        Assert.Equal(Stat.Ok, made.Status);
        Assert.Equal((2u, 0x1c0u), (made.Attr!.Type, made.Attr.Mode));
        AssertChanged(Root, before, made.Dir);
        Assert.Equal(Stat.Exist, Client.MkDir(Root, "directory"u8).Status);
        Assert.Equal(Stat.NotDir, Client.MkDir(Client.MustCreate(Root, "file"), "x"u8).Status);
    }

    [Fact]
    public void Remove_removes_files_only()
    {
        byte[] file = Client.MustCreate(Root, "file");
        MustMakeDirectory(Root, "directory");
        Attr before = Client.MustGetAttr(Root);
        (uint status, Wcc wcc) = Client.Remove(Root, "file"u8);
        Assert.Equal(Stat.Ok, status);
        AssertChanged(Root, before, wcc);
        Assert.Equal(Stat.Stale, Client.GetAttr(file).Status);
        (status, wcc) = Client.Remove(Root, "file"u8);
        Assert.Equal(Stat.NoEnt, status);
        Assert.NotNull(wcc.After);
        // RFC 1813 lists neither ISDIR nor PERM for REMOVE.
        Assert.Equal(Stat.Acces, Client.Remove(Root, "directory"u8).Status);
    }

    [Fact]
    public void Rmdir_removes_empty_directories_only()
    {
        byte[] directory = MustMakeDirectory(Root, "directory");
        Client.MustCreate(directory, "file");
        (uint status, Wcc wcc) = Client.RmDir(Root, "directory"u8);
        Assert.Equal(Stat.NotEmpty, status);
        Assert.NotNull(wcc.After);
        Assert.Equal(Stat.NotDir, Client.RmDir(directory, "file"u8).Status);
        Client.Remove(directory, "file"u8);
        Assert.Equal(Stat.Ok, Client.RmDir(Root, "directory"u8).Status);
        Assert.Equal(Stat.NoEnt, Client.RmDir(Root, "directory"u8).Status);
        Assert.Equal(Stat.Stale, Client.GetAttr(directory).Status);
    }

    [Fact]
    public void Rename_moves_and_replaces()
    {
        byte[] file = Client.MustCreate(Root, "file");
        byte[] directory = MustMakeDirectory(Root, "directory");
        Attr root = Client.MustGetAttr(Root);
        Attr target = Client.MustGetAttr(directory);
        (uint status, Wcc from, Wcc to) = Client.Rename(Root, "file"u8, directory, "moved"u8);
        Assert.Equal(Stat.Ok, status);
        AssertChanged(Root, root, from);
        AssertChanged(directory, target, to);
        Assert.Equal(file, MustLookup(directory, "moved"));
        Assert.Equal(Stat.NoEnt, Client.Lookup(Root, "file"u8).Status);

        byte[] other = Client.MustCreate(directory, "other");
        Assert.Equal(Stat.Ok, Client.Rename(directory, "moved"u8, directory, "other"u8).Status);
        Assert.Equal(file, MustLookup(directory, "other"));
        Assert.Equal(Stat.Stale, Client.GetAttr(other).Status);
    }

    [Fact]
    public void Rename_that_cannot_be_done_is_refused()
    {
        Client.MustCreate(Root, "file");
        byte[] directory = MustMakeDirectory(Root, "directory");
        byte[] below = MustMakeDirectory(directory, "below");
        (uint status, Wcc from, Wcc to) = Client.Rename(Root, "missing"u8, directory, "x"u8);
        Assert.Equal(Stat.NoEnt, status);
        Assert.NotNull(from.After);
        Assert.NotNull(to.After);
        Assert.Equal(Stat.Inval, Client.Rename(Root, "directory"u8, below, "x"u8).Status);
        Assert.Contains(Client.Rename(Root, "file"u8, Root, "directory"u8).Status, new[] { Stat.Exist, Stat.IsDir });
        Assert.Contains(Client.Rename(Root, "directory"u8, Root, "file"u8).Status, new[] { Stat.Exist, Stat.NotDir });
        MustMakeDirectory(Root, "another");
        Assert.Contains(Client.Rename(Root, "another"u8, Root, "directory"u8).Status, new[] { Stat.NotEmpty, Stat.Exist });
        Assert.Equal(Stat.Ok, Client.Rename(Root, "file"u8, Root, "file"u8).Status);
    }
}
