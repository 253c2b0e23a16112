using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>Who may do what in a real directory, by user, group and mode, told in the protocol's words.</summary>
public sealed class RightsTests : IDisposable
{
    private const uint Read = 1, LookUp = 2, Modify = 4, Extend = 8, Delete = 16;

    private readonly TemporaryDirectory _directory = new();
    private readonly LocalFileSystem _fileSystem;
    private readonly ServedFileSystem _served;
    private readonly Nfs3Client _client;
    private readonly byte[] _root;

    public RightsTests()
    {
        _fileSystem = LocalFileSystem.Open(_directory.Path);
        _served = new ServedFileSystem(_fileSystem);
        _client = _served.Connect();
        _root = _client.MustMount(ServedFileSystem.Path);
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
        _fileSystem.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Setattr_of_another_owner_is_not_permitted()
    {
        byte[] file = _client.MustCreate(_root, "file", new Sattr { Mode = 0x1b6, Uid = 1000 });
        _client.As(1001, 1001);
        (uint status, Wcc wcc) = _client.SetAttr(file, new Sattr { Mode = 0x1ff });
        Assert.Equal(Stat.Perm, status);
        Assert.Equal(0x1b6u, wcc.After!.Mode);
    }

    [Fact]
    public void Access_goes_by_user_and_mode()
    {
        byte[] file = _client.MustCreate(_root, "file", new Sattr { Mode = 0x1a4, Uid = 1000, Gid = 1000 });
        byte[] directory = _client.MkDir(_root, "directory"u8, new Sattr { Mode = 0x1ed, Uid = 1000, Gid = 1000 }).Handle!;
        Assert.Equal((Stat.Ok, Read | Modify | Extend), Rights(_client.As(1000, 1000), file));
        Assert.Equal((Stat.Ok, Read), Rights(_client.As(1001, 1001), file));
        Assert.Equal((Stat.Ok, Read | LookUp | Modify | Extend | Delete), Rights(_client.As(1000, 1000), directory));
        Assert.Equal((Stat.Ok, Read | LookUp), Rights(_client.As(1001, 1001), directory));
        (_, uint some, Attr? attr) = _client.Access(directory, Read | Modify);
        Assert.Equal(Read, some);
        Assert.NotNull(attr);

        static (uint, uint) Rights(Nfs3Client client, byte[] handle)
        {
            (uint status, uint granted, _) = client.Access(handle, 0x3f);
            return (status, granted);
        }
    }

    [Fact]
    public void Create_without_the_right_to_write_is_refused()
    {
        byte[] directory = _client.MkDir(_root, "directory"u8, new Sattr { Mode = 0x1ed, Uid = 1000 }).Handle!;
        Made made = _client.As(1001, 1001).Create(directory, "x"u8);
        Assert.Equal(Stat.Acces, made.Status);
        Assert.NotNull(made.Dir.After);
    }

    [Fact]
    public void What_a_user_makes_is_that_users()
    {
        byte[] directory = _client.MkDir(_root, "open"u8, new Sattr { Mode = 0x1ff }).Handle!;
        Made file = _client.As(1000, 1001).Create(directory, "x"u8);
        // They belong to whoever runs the server, unless that is root, who can give them away.
        Attr mine = _client.MustGetAttr(_root);
        Assert.Equal(Environment.IsPrivilegedProcess ? (1000u, 1001u) : (mine.Uid, mine.Gid), (file.Attr!.Uid, file.Attr.Gid));
    }

    [Fact]
    public void Read_and_write_without_the_right_are_refused()
    {
        byte[] file = _client.MustCreate(_root, "file", new Sattr { Mode = 0x180, Uid = 1000 });
        _client.As(1001, 1001);
        DataRead read = _client.Read(file, 0, 10);
        Assert.Equal(Stat.Acces, read.Status);
        Assert.NotNull(read.Attr);
        Written written = _client.Write(file, 0, "x"u8);
        Assert.Equal(Stat.Acces, written.Status);
        Assert.Equal(0ul, written.Wcc.After!.Size);
    }

    [Fact]
    public void A_directory_without_the_right_to_read_is_not_listed()
    {
        byte[] directory = _client.MkDir(_root, "directory"u8, new Sattr { Mode = 0x1c0, Uid = 1000 }).Handle!;
        Listed listed = _client.As(1001, 1001).ReadDir(directory, 0, 0, 4096);
        Assert.Equal(Stat.Acces, listed.Status);
        Assert.NotNull(listed.Dir);
    }

    [Fact]
    public void A_mount_gives_nothing_that_lookup_would_not()
    {
        byte[] closed = _client.MkDir(_root, "closed"u8, new Sattr { Mode = 0x1c0, Uid = 1000 }).Handle!;
        Assert.Equal(Stat.Ok, _client.MkDir(closed, "below"u8).Status);
        Assert.Equal(13u, _client.As(1001, 1001).Mnt("/export/closed/below"u8).Status);
        Assert.Equal(0u, _client.As(1000, 1000).Mnt("/export/closed/below"u8).Status);
    }
}
