using CsCheck;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>Any bytes as a compound get an answer in the protocol's words, and no exception gets anywhere.</summary>
public sealed class HostileCompoundTests : IDisposable
{
    private readonly ErrorLog _log = new();
    private readonly ServedExports4 _served;
    private readonly Nfs4Client _client;
    private readonly byte[] _root;
    private readonly byte[] _file;

    public HostileCompoundTests()
    {
        _served = new ServedExports4(["/export:rw,insecure"], options => options.LoggerFactory = _log, null);
        File.WriteAllText(Path.Combine(_served.Paths[0], "file"), "content");
        _client = _served.Connect().As(1000, 1000);
        _root = _client.Handle(Op4.PutRootFh, Op4.Lookup("export"u8));
        _file = _client.Handle(Op4.PutFh(_root), Op4.Lookup("file"u8));
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void Any_operations_are_answered() =>
        Gen.Select(Gen.UInt[0, 3], Operations.Array[0, 6]).Sample((minor, operations) => Try(Nfs4Client.Compound(minor, "t"u8, operations)), threads: 1, iter: 3000);

    [Fact]
    public void Compounds_cut_anywhere_are_answered()
    {
        byte[] whole = Nfs4Client.Compound(
            0, "tag"u8, Op4.PutFh(_root), Op4.SetAttr((33, Op4.U32(0x1ff)), (36, Op4.Text("1000"))), Op4.ReadDir(0, 0, 4096, 1, 20, 36),
            Op4.Lookup("file"u8), Op4.Verify((4, Op4.U64(7))), Op4.Read(0, 100));
        for (int length = 0; length <= whole.Length; length += 4)
            Try(whole[..length]);
    }

    [Fact]
    public void Counts_that_promise_more_than_there_is_cost_nothing()
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        foreach (uint count in (uint[])[100, 1 << 20, int.MaxValue, uint.MaxValue])
        {
            foreach (Op4 operation in (Op4[])
            [
                new(9, Op4.U32(count)), new(15, Op4.U32(count)), new(22, Op4.U32(count)), new(37, new XdrBytes().U32(count).U32(count).ToArray()),
                new(34, new XdrBytes().U64(0).U64(0).U32(1).U32(1 << 12).Opaque(Op4.U32(count)).ToArray()),
                new(38, new XdrBytes().U64(0).U64(0).U64(0).U32(0).U32(count).ToArray()), new(26, new XdrBytes().U64(0).U64(0).U32(count).U32(count).U32(count).ToArray()),
            ])
                Assert.Equal(10036u, _client.Run(Op4.PutFh(_file), operation).Status);
        }
        Assert.Empty(_log.Errors);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 10 << 20);
    }

    // Operations put together of what real ones are made of: mostly they are garbage, often enough they mean something.
    private Gen<Op4> Operations => Gen.OneOf(
        Gen.Const(Op4.PutFh(_root)),
        Gen.Const(Op4.PutFh(_file)),
        Gen.Const(Op4.PutRootFh),
        Gen.Const(Op4.SaveFh),
        Gen.Const(Op4.RestoreFh),
        Gen.UInt[0, 100].Array[1, 4].Select(attributes => Op4.GetAttr(attributes)),
        Gen.Byte.Array[0, 300].Select(name => Op4.Lookup(name)),
        Gen.Select(Gen.UInt[3, 76], Pieces).Select((number, arguments) => new Op4(number, arguments)));

    private Gen<byte[]> Pieces => Gen.OneOf(
        Gen.Const(new XdrBytes().Opaque(_root).ToArray()),
        Gen.UInt[0, 3].Select(word => Op4.U32(word)),
        Gen.OneOf(Gen.UInt, Gen.Const(uint.MaxValue), Gen.Const(0x80000000u), Gen.Const(1u << 20)).Select(word => Op4.U32(word)),
        Gen.OneOf(Gen.Const("file"u8.ToArray()), Gen.Const("export"u8.ToArray()), Gen.Byte.Array[0, 300]).Select(name => new XdrBytes().Opaque(name).ToArray()),
        Gen.Byte.Array[0, 10].Select(bytes => bytes.SelectMany(one => Op4.U32(one)).ToArray())).Array[0, 9].Select(pieces => pieces.SelectMany(piece => piece).ToArray());

    private void Try(byte[] compound)
    {
        RpcAnswer answer = _client.Rpc.Call(Nfs4Client.Program, 4, 1, compound);
        Assert.True(answer.IsAccepted);
        Assert.True(answer.Status is 0 or 4, $"accept_stat {answer.Status}");
        if (answer.Status == 0)
        {
            uint status = answer.Body.U32();
            Assert.True(status <= 70 || status is >= 10001 and <= 10096, $"the compound answers {status}");
            answer.Body.Opaque();
            Assert.InRange(answer.Body.U32(), 0u, 128u);
        }
        Assert.Empty(_log.Errors);
    }
}
