using CsCheck;
using Kworker.Nfsd.FileSystem.Local;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V3;

/// <summary>Any bytes as arguments to any procedure get an answer in the protocol's words, and no exception gets anywhere.</summary>
public sealed class HostileArgumentsTests : IDisposable
{
    private const uint Success = 0, ProcedureUnavailable = 3, GarbageArguments = 4;

    private readonly ErrorLog _log = new();
    private readonly TemporaryDirectory _directory = new();
    private readonly LocalFileSystem _fileSystem;
    private readonly ServedFileSystem _served;
    private readonly Nfs3Client _client;
    private readonly byte[] _root;
    private readonly byte[] _file;

    public HostileArgumentsTests()
    {
        _fileSystem = LocalFileSystem.Open(_directory.Path, new LocalFileSystemOptions { IsAsync = true });
        _served = new ServedFileSystem(_fileSystem, "rw,insecure", options => options.LoggerFactory = _log);
        _client = _served.Connect().As(1000, 1000);
        _root = _client.MustMount(ServedFileSystem.Path);
        _file = _client.MustCreate(_root, "file");
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
        _fileSystem.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Nfs_answers_any_bytes() =>
        Gen.Select(Gen.UInt[0, 24], Pieces).Sample((procedure, arguments) => Try(Nfs3Client.Nfs, procedure, arguments), threads: 1, iter: 3000);

    [Fact]
    public void Mount_answers_any_bytes() =>
        Gen.Select(Gen.UInt[0, 8], Pieces).Sample((procedure, arguments) => Try(Nfs3Client.Mount, procedure, arguments), threads: 1, iter: 500);

    // Arguments put together of what real ones are made of: mostly they are garbage, often enough they mean something.
    private Gen<byte[]> Pieces => Gen.OneOf(
        Gen.Const(new XdrBytes().Opaque(_root).ToArray()),
        Gen.Const(new XdrBytes().Opaque(_file).ToArray()),
        Gen.UInt[0, 3].Select(word => new XdrBytes().U32(word).ToArray()),
        Gen.OneOf(Gen.UInt, Gen.Const(uint.MaxValue), Gen.Const(0x80000000u), Gen.Const(1u << 20)).Select(word => new XdrBytes().U32(word).ToArray()),
        Gen.OneOf(Gen.Const("file"u8.ToArray()), Gen.Const("/export"u8.ToArray()), Gen.Byte.Array[0, 300]).Select(name => new XdrBytes().Opaque(name).ToArray()),
        Gen.Byte.Array[0, 40]).Array[0, 9].Select(pieces => pieces.SelectMany(piece => piece).ToArray());

    private void Try(uint program, uint procedure, byte[] arguments)
    {
        RpcAnswer answer = _client.Rpc.Call(program, 3, procedure, arguments);
        Assert.True(answer.IsAccepted);
        Assert.Contains(answer.Status, new[] { Success, ProcedureUnavailable, GarbageArguments });
        Assert.Equal(procedure > (program == Nfs3Client.Nfs ? 21u : 5u), answer.Status == ProcedureUnavailable);
        if (answer.Status == Success && program == Nfs3Client.Nfs && procedure > 0)
        {
            uint status = answer.Body.U32();
            string name = ListedErrors.Procedures[procedure];
            Assert.True(status == Stat.Ok || ListedErrors.Of(name).Contains(status), $"{name} answers {status}");
        }
        Assert.Empty(_log.Errors);
    }
}
