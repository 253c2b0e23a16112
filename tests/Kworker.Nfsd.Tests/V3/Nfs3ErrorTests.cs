using Kworker.Nfsd.FileSystem;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>Whatever a file system comes to, a procedure answers what the RFC lists for it, in the form that goes with it.</summary>
public sealed class Nfs3ErrorTests : IDisposable
{
    private readonly ScriptedFileSystem _fileSystem = new();
    private readonly ServedFileSystem _served;
    private readonly Nfs3Client _client;
    private readonly byte[] _root;

    public Nfs3ErrorTests()
    {
        _served = new ServedFileSystem(_fileSystem);
        _client = _served.Connect();
        _root = _client.MustMount(ServedFileSystem.Path);
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void Each_procedure_answers_what_the_rfc_lists_for_it()
    {
        foreach (NfsStatus status in Enum.GetValues<NfsStatus>().Where(status => status != NfsStatus.Ok))
        {
            _fileSystem.Status = status;
            foreach ((string procedure, uint answer) in CallAll())
            {
                uint[] allowed = ListedErrors.Of(procedure);
                Assert.True(allowed.Contains(answer), $"{procedure} answers {answer} for {status}");
                if (allowed.Contains((uint)status))
                    Assert.True((uint)status == answer, $"{procedure} answers {answer} for {status}, which is listed");
            }
        }
    }

    [Fact]
    public void An_exception_is_a_server_fault_and_the_server_goes_on()
    {
        _fileSystem.Fault = new InvalidOperationException("planted by the test");
        Assert.All(CallAll(), result => Assert.Equal((result.Procedure, Stat.ServerFault), result));
        _fileSystem.Fault = null;
        Assert.All(CallAll(), result => Assert.Equal((result.Procedure, Stat.Ok), result));
    }

    [Fact]
    public void Replies_without_attributes_are_whole()
    {
        _fileSystem.HasAttributes = false;
        Assert.All(CallAll(), result => Assert.Equal((result.Procedure, Stat.Ok), result));
        DataRead read = _client.Read(_root, 0, 100);
        Assert.Null(read.Attr);
        Assert.Equal("hello"u8, read.Data);
        (uint _, byte[] target, Attr? attr) = _client.ReadLink(_root);
        Assert.Null(attr);
        Assert.Equal("abc"u8, target);
        Listed listed = _client.ReadDirPlus(_root, 0, 0, 1000, 1000);
        Assert.Null(listed.Dir);
        Assert.Equal(7ul, listed.Verifier);
        Entry entry = Assert.Single(listed.Entries);
        Assert.Equal("entry"u8, entry.Name);
        Assert.NotNull(entry.Handle);
        Assert.True(listed.Eof);
    }

    [Fact]
    public void A_lost_write_shows_in_the_verifier()
    {
        Written first = _client.Write(_root, 0, "x"u8, stable: 0);
        Assert.Equal(first.Verifier, _client.Commit(_root).Verifier);
        _fileSystem.Epoch = 1;
        Committed after = _client.Commit(_root);
        Assert.NotEqual(first.Verifier, after.Verifier);
        Assert.Equal(after.Verifier, _client.Write(_root, 0, "x"u8, stable: 0).Verifier);
    }

    [Fact]
    public void Types_that_mknod_does_not_make_are_bad() =>
        Assert.All([1u, 2u, 5u], type => Assert.Equal(Stat.BadType, _client.MkNod(_root, "x"u8, type).Status));

    [Fact]
    public void A_link_to_nothing_or_to_what_no_path_can_be_is_refused()
    {
        Assert.Equal(Stat.Acces, _client.SymLink(_root, "x"u8, []).Status);
        Assert.Equal(Stat.Acces, _client.SymLink(_root, "x"u8, "a\0b"u8).Status);
        Assert.Equal(Stat.NameTooLong, _client.SymLink(_root, "x"u8, new byte[4096].AsSpan().ToArray().Select(_ => (byte)'x').ToArray()).Status);
    }

    private List<(string Procedure, uint Status)> CallAll() =>
    [
        ("SETATTR", _client.SetAttr(_root, new Sattr { Mode = 1 }).Status),
        ("LOOKUP", _client.Lookup(_root, "x"u8).Status),
        ("ACCESS", _client.Access(_root, 63).Status),
        ("READLINK", _client.ReadLink(_root).Status),
        ("READ", _client.Read(_root, 0, 100).Status),
        ("WRITE", _client.Write(_root, 0, "x"u8).Status),
        ("CREATE", _client.Create(_root, "x"u8).Status),
        ("MKDIR", _client.MkDir(_root, "x"u8).Status),
        ("SYMLINK", _client.SymLink(_root, "x"u8, "y"u8).Status),
        ("MKNOD", _client.MkNod(_root, "x"u8, 7).Status),
        ("REMOVE", _client.Remove(_root, "x"u8).Status),
        ("RMDIR", _client.RmDir(_root, "x"u8).Status),
        ("RENAME", _client.Rename(_root, "x"u8, _root, "y"u8).Status),
        ("LINK", _client.Link(_root, _root, "x"u8).Status),
        ("READDIR", _client.ReadDir(_root, 0, 0, 1000).Status),
        ("READDIRPLUS", _client.ReadDirPlus(_root, 0, 0, 1000, 1000).Status),
        ("FSSTAT", StatusOf(18)),
        ("FSINFO", StatusOf(19)),
        ("PATHCONF", StatusOf(20)),
        ("COMMIT", _client.Commit(_root).Status),
    ];

    private uint StatusOf(uint procedure) => _client.Call(procedure, new XdrBytes().Opaque(_root)).U32();
}
