using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>What the sample in memory does not have: links, special files, space, restarts.</summary>
public sealed class LocalOnlyTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _state = new();
    private LocalFileSystem _fileSystem;
    private ServedFileSystem _served;
    private Nfs3Client _client;
    private readonly byte[] _root;

    public LocalOnlyTests()
    {
        (_fileSystem, _served, _client) = Serve();
        _root = _client.MustMount(ServedFileSystem.Path);
    }

    public void Dispose()
    {
        Stop();
        _state.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Symbolic_links_are_kept_as_they_are()
    {
        byte[] target = [.. "../../etc/"u8, 0xff];
        Made made = _client.SymLink(_root, "link"u8, target);
        Assert.Equal((Stat.Ok, 5u), (made.Status, made.Attr!.Type));
        (uint status, byte[] read, Attr? attr) = _client.ReadLink(made.Handle!);
        Assert.Equal(Stat.Ok, status);
        Assert.Equal(target, read);
        Assert.Equal(5u, attr!.Type);
        Assert.Equal(Stat.Exist, _client.SymLink(_root, "link"u8, "x"u8).Status);
        (status, _, attr) = _client.ReadLink(_client.MustCreate(_root, "file"));
        Assert.Equal(Stat.Inval, status);
        Assert.Equal(1u, attr!.Type);
        Assert.Equal(Stat.NotDir, _client.Lookup(made.Handle!, "passwd"u8).Status);
    }

    [Fact]
    public void Hard_links_are_the_same_file()
    {
        byte[] file = _client.MustCreate(_root, "file");
        (uint status, Attr? attr, Wcc dir) = _client.Link(file, _root, "other"u8);
        Assert.Equal((Stat.Ok, 2u), (status, attr!.Nlink));
        Assert.NotNull(dir.After);
        Assert.NotNull(dir.Before);
        Assert.Equal(file, _client.Lookup(_root, "other"u8).Handle);
        Assert.Equal(Stat.Exist, _client.Link(file, _root, "other"u8).Status);
        byte[] directory = _client.MkDir(_root, "directory"u8).Handle!;
        Assert.Contains(_client.Link(directory, _root, "x"u8).Status, new[] { Stat.Inval, Stat.Acces });
        Assert.Equal(Stat.NotDir, _client.Link(file, file, "x"u8).Status);
    }

    [Fact]
    public void Special_files_can_be_made()
    {
        Assert.Equal(7u, _client.MkNod(_root, "pipe"u8, 7).Attr!.Type);
        Assert.Equal(6u, _client.MkNod(_root, "socket"u8, 6).Attr!.Type);
        Assert.Equal(Stat.Exist, _client.MkNod(_root, "pipe"u8, 7).Status);
        Made user = _client.As(1000, 1000).MkNod(_root, "device"u8, 4, 1, 3);
        Assert.Equal(Stat.Acces, user.Status);
        Assert.NotNull(user.Dir.After);
    }

    [Fact]
    public void Handles_outlive_the_server_and_the_verifier_does_not()
    {
        byte[] file = _client.MustCreate(_root, "file");
        Written before = _client.Write(file, 0, "content"u8, stable: 0);
        Made exclusive = _client.Create(_root, "exclusive"u8, 2, verifier: 42);
        Stop();
        (_fileSystem, _served, _client) = Serve();
        Assert.Equal("content"u8, _client.Read(file, 0, 100).Data);
        Assert.Equal(file, _client.Lookup(_root, "file"u8).Handle);
        Assert.NotEqual(before.Verifier, _client.Commit(file).Verifier);
        Made again = _client.Create(_root, "exclusive"u8, 2, verifier: 42);
        Assert.Equal(Stat.Ok, again.Status);
        Assert.Equal(exclusive.Handle, again.Handle);
    }

    [Fact]
    public void Sizes_have_64_bits()
    {
        byte[] file = _client.MustCreate(_root, "file");
        const ulong Far = (5ul << 30) + 3;
        Assert.Equal(Stat.Ok, _client.Write(file, Far, "end"u8, stable: 0).Status);
        Attr attr = _client.MustGetAttr(file);
        Assert.Equal(Far + 3, attr.Size);
        Assert.True(attr.Used < 1 << 20);
        Assert.Equal("end"u8, _client.Read(file, Far, 10).Data);
    }

    private (LocalFileSystem, ServedFileSystem, Nfs3Client) Serve()
    {
        LocalFileSystem fileSystem = LocalFileSystem.Open(_directory.Path);
        var served = new ServedFileSystem(fileSystem, configure: options => options.StateDirectory = _state.Path);
        return (fileSystem, served, served.Connect());
    }

    private void Stop()
    {
        _client.Dispose();
        _served.Dispose();
        _fileSystem.Dispose();
    }
}
