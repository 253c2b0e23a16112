using System.Text;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>The operations without state, each with its errors: RFC 7530 section 16.</summary>
public sealed class OperationTests : IDisposable
{
    private const uint NoEnt = 2, Exist = 17, Xdev = 18, NotDir = 20, IsDir = 21, Inval = 22, RoFs = 30, NameTooLong = 63, NotEmpty = 66, BadCookie = 10003,
        TooSmall = 10005, BadType = 10007, Same = 10009, StaleStateid = 10023, NotSame = 10027, Symlink = 10029, AttrNotSupp = 10032, BadXdr = 10036,
        BadOwner = 10039, BadChar = 10040, BadName = 10041;

    private const uint Type = 1, Change = 3, Size = 4, Acl = 12, RdAttrError = 11, Mode = 33, Owner = 36, OwnerGroup = 37, TimeAccessSet = 48,
        TimeModify = 53, TimeModifySet = 54, FileId = 20, NumLinks = 35;

    private readonly ServedExports4 _served = new("/export:rw,insecure,no_root_squash", "/other:rw,insecure", "/fixed:ro,insecure");
    private readonly Nfs4Client _client;
    private readonly byte[] _root;
    private readonly byte[] _file;
    private readonly byte[] _link;
    private readonly byte[] _directory;

    public OperationTests()
    {
        _client = _served.Connect();
        File.WriteAllText(At("file"), "content");
        File.CreateSymbolicLink(At("link"), "target");
        Directory.CreateDirectory(At("directory"));
        File.WriteAllText(Path.Combine(_served.Paths[2], "fixed"), "content");
        _root = _client.Handle(Op4.PutRootFh, Op4.Lookup("export"u8));
        _file = _client.Handle(Op4.PutFh(_root), Op4.Lookup("file"u8));
        _link = _client.Handle(Op4.PutFh(_root), Op4.Lookup("link"u8));
        _directory = _client.Handle(Op4.PutFh(_root), Op4.Lookup("directory"u8));
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    private string At(string name) => Path.Combine(_served.Paths[0], name);

    private uint StatusOf(params ReadOnlySpan<Op4> operations) => _client.Run(operations).Status;

    private uint In(byte[] handle, Op4 operation) => StatusOf(Op4.PutFh(handle), operation);

    [Fact]
    public void Names_that_are_none_are_refused_everywhere()
    {
        byte[] longName = [.. Enumerable.Repeat((byte)'x', 256)];
        Func<byte[], Op4>[] all =
        [
            name => Op4.Lookup(name), name => Op4.Remove(name), name => Op4.MkDir(name), name => Op4.SymLink(name, "target"u8), name => Op4.SecInfo(name),
        ];
        foreach (Func<byte[], Op4> operation in all)
        {
            Assert.Equal(Inval, In(_root, operation([])));
            Assert.Equal(NameTooLong, In(_root, operation(longName)));
            Assert.Equal(BadName, In(_root, operation("."u8.ToArray())));
            Assert.Equal(BadName, In(_root, operation(".."u8.ToArray())));
            Assert.Equal(BadName, In(_root, operation("a/b"u8.ToArray())));
            Assert.Equal(BadChar, In(_root, operation([1, 0, 2])));
        }
        Assert.Equal(NoEnt, In(_root, Op4.Lookup([0xff, 0xfe]))); // Names are bytes.
    }

    [Fact]
    public void Lookup_needs_a_directory()
    {
        Assert.Equal(NotDir, In(_file, Op4.Lookup("x"u8)));
        Assert.Equal(Symlink, In(_link, Op4.Lookup("x"u8)));
        Assert.Equal(NotDir, In(_file, Op4.LookupP));
        Assert.Equal(_root, _client.Handle(Op4.PutFh(_directory), Op4.LookupP));
    }

    [Fact]
    public void Data_is_written_read_and_committed()
    {
        (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.Write(3, "abc"u8, 0));
        Assert.Equal((0u, 3u), (status, reply.Body.U32()));
        reply.Body.U32();
        ulong verifier = reply.Body.U64();
        reply.Body.End();
        (status, reply) = _client.Last(Op4.PutFh(_file), Op4.Commit());
        Assert.Equal((0u, verifier), (status, reply.Body.U64()));
        (status, reply) = _client.Last(Op4.PutFh(_file), Op4.Read(1, 100));
        Assert.Equal(0u, status);
        Assert.True(reply.Body.Bool());
        Assert.Equal("onabct"u8.ToArray(), reply.Body.Opaque());
        reply.Body.End();
        (_, reply) = _client.Last(Op4.PutFh(_file), Op4.Read(0, 2));
        Assert.False(reply.Body.Bool());
        (_, reply) = _client.Last(Op4.PutFh(_file), Op4.Read(ulong.MaxValue, 2));
        Assert.True(reply.Body.Bool());
        Assert.Empty(reply.Body.Opaque());
    }

    [Fact]
    public void Data_is_in_regular_files_only()
    {
        foreach (Op4 operation in (Op4[])[Op4.Read(0, 10), Op4.Write(0, "x"u8), Op4.Commit(), Op4.SetAttr((Size, Op4.U64(0)))])
        {
            Assert.Equal(IsDir, In(_directory, operation));
            Assert.Equal(Inval, In(_link, operation));
        }
        Assert.Equal(Inval, In(_file, Op4.Commit(ulong.MaxValue, 2)));
        byte[] fixedFile = _client.Handle(Op4.PutRootFh, Op4.Lookup("fixed"u8), Op4.Lookup("fixed"u8));
        Assert.Equal(RoFs, In(fixedFile, Op4.Write(0, "x"u8)));
        Assert.Equal(0u, In(fixedFile, Op4.Read(0, 1)));
        Assert.Equal(StaleStateid, In(_file, new Op4(25, new XdrBytes().U32(1).U64(77).U32(77).U64(0).U32(1).ToArray())));
    }

    [Fact]
    public void Access_says_what_makes_sense_and_what_is_granted()
    {
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.Access(0x3f));
        Assert.Equal((0x2du, 0xdu), (reply.Body.U32(), reply.Body.U32()));
        (_, reply) = _client.Last(Op4.PutFh(_directory), Op4.Access(0x3f));
        Assert.Equal((0x1fu, 0x1fu), (reply.Body.U32(), reply.Body.U32()));
        Assert.Equal(Inval, In(_file, Op4.Access(0x40)));
        (_, reply) = _client.Last(Op4.PutRootFh, Op4.Lookup("fixed"u8), Op4.Access(0x3f));
        Assert.Equal((0x1fu, 0x3u), (reply.Body.U32(), reply.Body.U32()));
    }

    [Fact]
    public void Links_are_read()
    {
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_link), Op4.ReadLink);
        Assert.Equal("target"u8.ToArray(), reply.Body.Opaque());
        Assert.Equal(Inval, In(_file, Op4.ReadLink));
    }

    [Fact]
    public void Everything_but_files_is_created()
    {
        Reply4 reply = _client.Run(Op4.PutFh(_root), Op4.GetAttr(Change), Op4.MkDir("new"u8), Op4.GetAttr(Type, Mode), Op4.PutFh(_root), Op4.GetAttr(Change));
        Assert.Equal(0u, reply.Status);
        reply.Skip(Op4.PutFh(_root));
        reply.Next(9);
        ulong before = reply.Attributes(Change).U64();
        reply.Next(6);
        Assert.True(reply.Body.Bool());
        Assert.Equal(before, reply.Body.U64());
        ulong after = reply.Body.U64();
        Assert.Equal((2u, 0u, 2u), (reply.Body.U32(), reply.Body.U32(), reply.Body.U32())); // attrset: the mode.
        reply.Next(9);
        XdrCursor attributes = reply.Attributes(Type, Mode);
        Assert.Equal((2u, 0x1edu), (attributes.U32(), attributes.U32()));
        reply.Skip(Op4.PutFh(_root));
        reply.Next(9);
        Assert.Equal(after, reply.Attributes(Change).U64());
        Assert.NotEqual(before, after);

        Assert.Equal(Exist, In(_root, Op4.MkDir("new"u8)));
        Assert.Equal(0u, In(_root, Op4.SymLink("sym"u8, "anywhere"u8)));
        Assert.Equal(Inval, In(_root, Op4.SymLink("sym2"u8, []))); // An empty target.
        Assert.Equal(0u, In(_root, Op4.Create(7, "fifo"u8, [])));
        Assert.Equal(0u, In(_root, Op4.Create(6, "socket"u8, [])));
        Assert.Equal(BadType, In(_root, Op4.Create(1, "regular"u8, [])));
        Assert.Equal(BadType, In(_root, Op4.Create(99, "what"u8, [])));
        Assert.Equal(NotDir, In(_file, Op4.MkDir("x"u8)));
        Assert.Equal(RoFs, StatusOf(Op4.PutRootFh, Op4.MkDir("x"u8)));
        Assert.Equal(RoFs, StatusOf(Op4.PutRootFh, Op4.Lookup("fixed"u8), Op4.MkDir("x"u8)));
    }

    [Fact]
    public void Files_and_directories_are_removed_alike()
    {
        File.WriteAllText(At("directory/inside"), "");
        Assert.Equal(NotEmpty, In(_root, Op4.Remove("directory"u8)));
        Assert.Equal(0u, In(_directory, Op4.Remove("inside"u8)));
        (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_root), Op4.Remove("directory"u8));
        Assert.Equal(0u, status);
        Assert.True(reply.Body.Bool());
        Assert.NotEqual(reply.Body.U64(), reply.Body.U64());
        Assert.Equal(0u, In(_root, Op4.Remove("file"u8)));
        Assert.Equal(NoEnt, In(_root, Op4.Remove("file"u8)));
        Assert.Equal(NotDir, In(_file, Op4.Remove("x"u8)) is 70 ? NotDir : 0); // The file itself is gone.
    }

    [Fact]
    public void Names_are_moved_and_added()
    {
        Assert.Equal(0u, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.PutFh(_directory), Op4.Rename("file"u8, "moved"u8)));
        Assert.Equal(_file, _client.Handle(Op4.PutFh(_directory), Op4.Lookup("moved"u8)));
        Assert.Equal(0u, StatusOf(Op4.PutFh(_file), Op4.SaveFh, Op4.PutFh(_root), Op4.Link("file"u8)));
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(NumLinks));
        Assert.Equal(2u, reply.Attributes(NumLinks).U32());

        Assert.Equal(Exist, StatusOf(Op4.PutFh(_file), Op4.SaveFh, Op4.PutFh(_root), Op4.Link("link"u8)));
        Assert.Equal(IsDir, StatusOf(Op4.PutFh(_directory), Op4.SaveFh, Op4.PutFh(_root), Op4.Link("x"u8)));
        Assert.Equal(NotDir, StatusOf(Op4.PutFh(_file), Op4.SaveFh, Op4.PutFh(_file), Op4.Link("x"u8)));
        Assert.Equal(Exist, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.Rename("file"u8, "directory"u8)));
        Assert.Equal(Exist, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.Rename("directory"u8, "file"u8)));
        Assert.Equal(NoEnt, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.Rename("nothing"u8, "x"u8)));
        Assert.Equal(NotDir, StatusOf(Op4.PutFh(_file), Op4.SaveFh, Op4.PutFh(_root), Op4.Rename("x"u8, "y"u8)));
        Assert.Equal(NotDir, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.PutFh(_file), Op4.Rename("file"u8, "y"u8)));
        Assert.Equal(Xdev, StatusOf(Op4.PutFh(_root), Op4.SaveFh, Op4.PutRootFh, Op4.Lookup("other"u8), Op4.Rename("file"u8, "y"u8)));
        Assert.Equal(Xdev, StatusOf(Op4.PutFh(_file), Op4.SaveFh, Op4.PutRootFh, Op4.Lookup("other"u8), Op4.Link("y"u8)));
    }

    [Fact]
    public void Attributes_are_set_and_named()
    {
        byte[] time = new XdrBytes().U32(1).U64(1_000_000).U32(5).ToArray();
        (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.SetAttr((Size, Op4.U64(3)), (Mode, Op4.U32(0x180)), (TimeModifySet, time)));
        Assert.Equal(0u, status);
        Assert.Equal((2u, 1u << 4, 1u << 1 | 1u << 22), (reply.Body.U32(), reply.Body.U32(), reply.Body.U32()));
        reply.Body.End();
        (_, reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(Size, Mode, TimeModify));
        XdrCursor attributes = reply.Attributes(Size, Mode, TimeModify);
        Assert.Equal((3ul, 0x180u, 1_000_000ul, 5u), (attributes.U64(), attributes.U32(), attributes.U64(), attributes.U32()));

        Assert.Equal(0u, In(_link, Op4.SetAttr((Mode, Op4.U32(0x180))))); // It means nothing there.
        Assert.Equal(0u, In(_file, Op4.SetAttr()));
        Assert.Equal(Inval, In(_file, Op4.SetAttr((Type, Op4.U32(2)))));
        Assert.Equal(AttrNotSupp, In(_file, Op4.SetAttr((25, Op4.U32(1))))); // hidden
        Assert.Equal(AttrNotSupp, In(_file, Op4.SetAttr((95, Op4.U32(1)))));
        Assert.Equal(AttrNotSupp, In(_file, Op4.SetAttr((300, Op4.U32(1)))));
        Assert.Equal(BadXdr, In(_file, Op4.SetAttr((Mode, Op4.U64(0)))));
        Assert.Equal(BadXdr, In(_file, Op4.SetAttr((Size, Op4.U32(0)))));
        Assert.Equal(Inval, In(_file, Op4.SetAttr((Mode, Op4.U32(0x10000)))));
        Assert.Equal(Inval, In(_file, Op4.SetAttr((TimeAccessSet, new XdrBytes().U32(1).U64(0).U32(1_000_000_000).ToArray()))));
        Assert.Equal(BadXdr, In(_file, Op4.SetAttr((TimeAccessSet, Op4.U32(2)))));
        Assert.Equal(RoFs, StatusOf(Op4.PutRootFh, Op4.SetAttr((Mode, Op4.U32(0)))));
    }

    [Fact]
    public void Owners_are_numbers_or_names_of_this_machine()
    {
        Assert.Equal(BadOwner, In(_file, Op4.SetAttr((Owner, Op4.Text("no-such-user@nowhere")))));
        Assert.Equal(BadOwner, In(_file, Op4.SetAttr((OwnerGroup, Op4.Text("12x")))));
        Assert.Equal(BadOwner, In(_file, Op4.SetAttr((Owner, Op4.Text("4294967295")))));
        Assert.Equal(Inval, In(_file, Op4.SetAttr((Owner, Op4.Text("")))));
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(Owner));
        string owner = Encoding.ASCII.GetString(reply.Attributes(Owner).Opaque());
        Assert.Equal(0u, In(_file, Op4.SetAttr((Owner, Op4.Text(owner)))));
        if (owner != "0")
            return;
        // The domain of names is the machine's own.
        string domain = System.Net.NetworkInformation.IPGlobalProperties.GetIPGlobalProperties().DomainName;
        if (domain is "" or "(none)")
            domain = "localdomain";
        Assert.Equal(0u, In(_file, Op4.SetAttr((Owner, Op4.Text("root@" + domain)), (OwnerGroup, Op4.Text("root@" + domain)))));
        Assert.Equal(BadOwner, In(_file, Op4.SetAttr((Owner, Op4.Text("no-such-user@" + domain)))));
    }

    [Fact]
    public void An_acl_is_the_mode_and_sets_it()
    {
        Assert.Equal(0u, In(_file, Op4.SetAttr((Mode, Op4.U32(0x9a4))))); // rw-r--r-- and set-uid
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(Acl));
        XdrCursor acl = reply.Attributes(Acl);
        Assert.Equal(3u, acl.U32());
        Assert.Equal((0u, 0u, 0x160187u, "OWNER@"), (acl.U32(), acl.U32(), acl.U32(), Encoding.ASCII.GetString(acl.Opaque())));
        Assert.Equal((0u, 0u, 0x120081u, "GROUP@"), (acl.U32(), acl.U32(), acl.U32(), Encoding.ASCII.GetString(acl.Opaque())));
        Assert.Equal((0u, 0u, 0x120081u, "EVERYONE@"), (acl.U32(), acl.U32(), acl.U32(), Encoding.ASCII.GetString(acl.Opaque())));
        acl.End();

        byte[] list = new XdrBytes().U32(3)
            .U32(1).U32(0).U32(0x2).Opaque("GROUP@"u8)
            .U32(0).U32(0).U32(0x27).Opaque("OWNER@"u8)
            .U32(0).U32(0).U32(0x3).Opaque("EVERYONE@"u8).ToArray();
        Assert.Equal(0u, In(_file, Op4.SetAttr((Acl, list))));
        (_, reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(Mode));
        Assert.Equal(0x800u | 0x1e6u, reply.Attributes(Mode).U32()); // rwxr--rw-, set-uid as it was
        // Somebody by name: more than a mode can say, unless nothing is said of him.
        Assert.Equal(AttrNotSupp, In(_file, Op4.SetAttr((Acl, new XdrBytes().U32(1).U32(0).U32(0).U32(1).Opaque("1000"u8).ToArray()))));
        Assert.Equal(0u, In(_file, Op4.SetAttr((Acl, new XdrBytes().U32(1).U32(0).U32(0).U32(0).Opaque("1000"u8).ToArray()))));
        Assert.Equal(BadOwner, In(_file, Op4.SetAttr((Acl, new XdrBytes().U32(1).U32(0).U32(0).U32(1).Opaque("somebody@there"u8).ToArray()))));
        byte[] huge = new XdrBytes().U32(uint.MaxValue).ToArray();
        Assert.Equal(BadXdr, In(_file, Op4.SetAttr((Acl, huge))));
    }

    [Fact]
    public void Attributes_are_compared()
    {
        Assert.Equal(0u, In(_file, Op4.Verify((Type, Op4.U32(1)), (Size, Op4.U64(7)))));
        Assert.Equal(NotSame, In(_file, Op4.Verify((Type, Op4.U32(1)), (Size, Op4.U64(8)))));
        Assert.Equal(NotSame, In(_file, Op4.Verify((Type, Op4.U64(1)))));
        Assert.Equal(Same, In(_file, Op4.NVerify((Type, Op4.U32(1)), (Size, Op4.U64(7)))));
        Assert.Equal(0u, In(_file, Op4.NVerify((Size, Op4.U64(8)))));
        foreach (Func<(uint, byte[])[], Op4> operation in (Func<(uint, byte[])[], Op4>[])[given => Op4.Verify(given), given => Op4.NVerify(given)])
        {
            Assert.Equal(AttrNotSupp, In(_file, operation([(25, Op4.U32(1))])));
            Assert.Equal(Inval, In(_file, operation([(TimeModifySet, Op4.U32(0))])));
            Assert.Equal(Inval, In(_file, operation([(RdAttrError, Op4.U32(0))])));
        }
    }

    [Fact]
    public void Directories_are_listed_in_pieces()
    {
        for (int i = 0; i < 100; i++)
            File.WriteAllText(At($"directory/entry-{i:00}"), "");
        var names = new List<string>();
        ulong cookie = 0, verifier = 0;
        bool isEnd = false;
        while (!isEnd)
        {
            (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_directory), Op4.ReadDir(cookie, verifier, 512, Type, RdAttrError, FileId));
            Assert.Equal(0u, status);
            int start = reply.Body.Remaining;
            verifier = reply.Body.U64();
            while (reply.Body.Bool())
            {
                cookie = reply.Body.U64();
                names.Add(Encoding.ASCII.GetString(reply.Body.Opaque()));
                XdrCursor attributes = reply.Attributes(Type, RdAttrError, FileId);
                Assert.Equal((1u, 0u), (attributes.U32(), attributes.U32()));
            }
            isEnd = reply.Body.Bool();
            reply.Body.End();
            Assert.InRange(start, 1, 512);
        }
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"entry-{i:00}"), names.Order());

        Assert.Equal(TooSmall, In(_directory, Op4.ReadDir(0, 0, 10)));
        Assert.Equal(TooSmall, In(_directory, Op4.ReadDir(0, 0, 20)));
        Assert.Equal(BadCookie, In(_directory, Op4.ReadDir(1, 0, 512)));
        Assert.Equal(BadCookie, In(_directory, Op4.ReadDir(2, 0, 512)));
        Assert.Equal(BadCookie, In(_directory, Op4.ReadDir(0, 5, 512)));
        Assert.Equal(Inval, In(_directory, Op4.ReadDir(0, 0, 512, TimeModifySet)));
        Assert.Equal(NotDir, In(_file, Op4.ReadDir(0, 0, 512)));
        Assert.Equal(0u, In(_directory, Op4.ReadDir(0, 0, uint.MaxValue, 19, 43, 30)));
    }

    [Fact]
    public void Who_may_not_search_a_directory_gets_its_names_and_an_error_for_each()
    {
        if (!Environment.IsPrivilegedProcess)
            return;
        File.WriteAllText(At("directory/inside"), "");
        File.SetUnixFileMode(At("directory"), (UnixFileMode)0x1e4); // r-- for others
        using Nfs4Client stranger = _served.Connect().As(4321, 4321);
        (uint status, Reply4 reply) = stranger.Last(Op4.PutFh(_directory), Op4.ReadDir(0, 0, 4096, Type, RdAttrError));
        Assert.Equal(0u, status);
        reply.Body.U64();
        Assert.True(reply.Body.Bool());
        reply.Body.U64();
        Assert.Equal("inside"u8.ToArray(), reply.Body.Opaque());
        Assert.Equal(13u, reply.Attributes(RdAttrError).U32());
        Assert.Equal(13u, stranger.Run(Op4.PutFh(_directory), Op4.ReadDir(0, 0, 4096, Type)).Status);
    }

    [Fact]
    public void Attributes_that_can_only_be_set_cannot_be_asked_for()
    {
        Assert.Equal(Inval, In(_file, Op4.GetAttr(TimeModifySet)));
        (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(Type, 25, 95, 200));
        Assert.Equal(0u, status);
        Assert.Equal(1u, reply.Attributes(Type).U32()); // What is not supported is left out.
    }

    [Fact]
    public void Every_attribute_that_is_supported_is_given()
    {
        (_, Reply4 reply) = _client.Last(Op4.PutFh(_file), Op4.GetAttr(0));
        XdrCursor supported = reply.Attributes(0);
        var all = new List<uint>();
        uint words = supported.U32();
        for (uint word = 0; word < words; word++)
        {
            uint bits = supported.U32();
            all.AddRange(Enumerable.Range(0, 32).Where(bit => (bits >> bit & 1) != 0).Select(bit => word * 32 + (uint)bit));
        }
        uint[] readable = [.. all.Where(attribute => attribute is not (TimeAccessSet or TimeModifySet))];
        foreach (byte[] handle in (byte[][])[_file, _directory, _link, _root, _client.Handle(Op4.PutRootFh)])
        {
            (uint status, reply) = _client.Last(Op4.PutFh(handle), Op4.GetAttr(readable));
            Assert.Equal(0u, status);
            Assert.NotEqual(0, reply.Attributes(readable).Remaining);
            reply.Body.End();
        }
        uint[] mandatory = [.. Enumerable.Range(0, 12).Select(attribute => (uint)attribute), 19];
        Assert.Empty(mandatory.Except(all));
    }

    [Fact]
    public void Security_is_the_users_number()
    {
        (uint status, Reply4 reply) = _client.Last(Op4.PutFh(_root), Op4.SecInfo("file"u8));
        Assert.Equal((0u, 1u, 1u), (status, reply.Body.U32(), reply.Body.U32()));
        reply.Body.End();
        Assert.Equal(NoEnt, In(_root, Op4.SecInfo("nothing"u8)));
        Assert.Equal(NotDir, In(_file, Op4.SecInfo("x"u8)));
    }
}
