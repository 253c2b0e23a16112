using CsCheck;
using Kworker.Nfsd.State;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>Any bytes as a compound get an answer in the protocol's words, and no exception gets anywhere.</summary>
public sealed class HostileCompoundTests : IDisposable
{
    private const uint BadXdr = 10036, BadSession = 10052;

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

    /// <summary>
    /// Behind a SEQUENCE that is a session's next, out of pieces among which are stateids, ids and owners that are somebody's: what gets past the first checks.
    /// </summary>
    [Fact]
    public void Any_operations_of_a_live_session_are_answered()
    {
        const int lives = 30, calls = 150, mostAsked = 6;
        int clients = 0;
        for (int life = 0; life < lives; life++)
        {
            using var client = new LiveClient(_served, _root, $"life {life}");
            Gen.Select(Gen.UInt[1, 2], Gen.Bool, SessionOperations(client).Array[0, mostAsked]).Sample(
                (minor, cacheThis, operations) => Try(client, minor, cacheThis, operations), threads: 1, iter: calls);
            clients += client.Count;
            Assert.InRange(client.Passed, calls / 2, calls); // it is not SEQUENCE that fails
        }
        // No more is left of it than real ones have made: noise makes no client, and what it opens are the same few files again and again.
        NfsState state = _served.Server.Nfs4;
        Assert.InRange(state.ClientCount, 1, clients);
        Assert.InRange(state.SessionCount, 1, clients);
        Assert.InRange(state.StateCount, 1, clients * 8);
        Assert.Equal(0u, _client.Run(Op4.PutFh(_file), Op4.GetAttr(1)).Status);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    public void Compounds_of_a_session_cut_anywhere_are_answered(uint minor)
    {
        using var client = new LiveClient(_served, _root, "cut");
        byte[] attributes = new XdrBytes().U32(1).U32(1 << 4).Opaque(Op4.U64(3)).ToArray();
        Op4[][] all =
        [
            [Op4.PutFh(_root), client.Session.OpenOf("other"), new(Nfs41Client.Close, new XdrBytes().U32(0).Raw(s_current).ToArray()), Op4.GetFh],
            [Op4.PutFh(client.Handle), client.Session.LockOf(client.Open, "cut"), new(Nfs41Client.LockU, new XdrBytes().U32(2).U32(0).Raw(s_current).U64(0).U64(5).ToArray())],
            [Op4.PutFh(client.Handle), new(34, [.. client.Open, .. attributes]), new(38, new XdrBytes().Raw(client.Locks).U64(0).U32(2).Opaque("data"u8).ToArray())],
            [new(Nfs41Client.TestStateid, new XdrBytes().U32(2).Raw(client.Open).Raw(client.Locks).ToArray()), new(Nfs41Client.FreeStateid, client.Locks)],
            [Nfs41Client.ExchangeIdOf("cut"), Nfs41Client.CreateSessionOf(client.Session.ClientId, 2, 0, 4), new(Nfs41Client.BackchannelCtl, new XdrBytes().U32(7).U32(1).U32(0).ToArray())],
            [Op4.PutFh(client.Handle), new(69, new XdrBytes().Raw(client.Open).U64(0).U32(0).ToArray()), new(73, [.. Op4.U32(0), .. Op4.Text("a"), .. Op4.Text("b")])],
        ];
        foreach (Op4[] operations in all)
        {
            int whole = client.Compound(minor, true, operations).Length;
            for (int length = 0; length <= whole; length += 4)
                Try(client, client.Compound(minor, true, operations)[..length], operations.Length + 1);
        }
        Assert.Equal(0u, client.Session.Run(Op4.PutFh(client.Handle), Op4.GetAttr(1)).Status); // the session has outlived it
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

    private static readonly byte[] s_current = [.. Op4.U32(1), .. new byte[12]];

    /// <summary>ALLOCATE by itself: with any length it would fill the disk.</summary>
    private Gen<Op4> SessionOperations(LiveClient client)
    {
        const uint allocate = 59;
        Gen<byte[]> pieces = Gen.Select(Gen.OneOf(Pieces, LivePieces(client)), Gen.OneOf(Pieces, LivePieces(client)), static (one, other) => (byte[])[.. one, .. other]);
        return Gen.OneOf(
            Operations.Where(static operation => operation.Number != allocate),
            Gen.Const(0).Select(_ => Op4.PutFh(client.Handle)),
            Gen.Const(0).Select(_ => client.Session.OpenOf("file")),
            Gen.Const(0).Select(_ => client.Session.LockOf(client.Open, "fuzz")),
            Gen.Select(LiveStateids(client), Gen.OneOf(Gen.ULong[0, 1 << 20], Gen.Const(ulong.MaxValue))).Select(static (stateid, length) =>
                new Op4(allocate, new XdrBytes().Raw(stateid).U64(length).U64(length).ToArray())),
            // What begins with a stateid: CLOSE behind a number, OPEN_DOWNGRADE, READ, SETATTR, WRITE, DELEGRETURN, FREE_STATEID, SEEK, LOCKU behind two numbers.
            Gen.Select(Gen.OneOfConst<(uint Number, int Words)>((4, 1), (21, 0), (25, 0), (34, 0), (38, 0), (8, 0), (45, 0), (69, 0), (14, 2)), LiveStateids(client), pieces)
                .Select(static (operation, stateid, rest) => new Op4(operation.Number, [.. new byte[4 * operation.Words], .. stateid, .. rest])),
            Gen.Select(Gen.UInt[3, 76].Where(static number => number != allocate), pieces).Select(static (number, arguments) => new Op4(number, arguments)));
    }

    private static Gen<byte[]> LiveStateids(LiveClient client) =>
        Gen.Select(Gen.OneOf(Gen.UInt[0, 3], Gen.Const(uint.MaxValue)), Gen.Int[0, 3]).Select((seqid, which) => which switch
        {
            0 => [.. Op4.U32(seqid), .. client.Open[4..]],
            1 => (byte[])[.. Op4.U32(seqid), .. client.Locks[4..]],
            2 => s_current,
            _ => [.. Op4.U32(seqid), .. new byte[12]],
        });

    private static Gen<byte[]> LivePieces(LiveClient client) => Gen.OneOf(
        LiveStateids(client),
        Gen.Const(0).Select(_ => Op4.U64(client.Session.ClientId)),
        Gen.Const(0).Select(_ => client.Session.Session),
        Gen.Const(0).Select(_ => new XdrBytes().U64(client.Session.ClientId).Opaque("owner"u8).ToArray()));

    /// <summary>A client of 4.1 with a file that it has open and has a lock in; a new one when that has been taken from it.</summary>
    private sealed class LiveClient : IDisposable
    {
        private readonly ServedExports4 _served;
        private readonly byte[] _root;
        private readonly string _name;
        private uint _seqid;

        public LiveClient(ServedExports4 served, byte[] root, string name)
        {
            (_served, _root, _name) = (served, root, name);
            Begin();
        }

        /// <summary>How often it has begun.</summary>
        public int Count { get; private set; }

        /// <summary>Compounds of which more was run than SEQUENCE.</summary>
        public int Passed { get; private set; }

        public Nfs41Client Session { get; private set; } = null!;

        public byte[] Handle { get; private set; } = [];

        public byte[] Open { get; private set; } = [];

        public byte[] Locks { get; private set; } = [];

        /// <summary>A compound in a slot of its own, by the number that is due.</summary>
        public byte[] Compound(uint minor, bool cacheThis, ReadOnlySpan<Op4> operations) =>
            Nfs4Client.Compound(minor, "t"u8, [Session.SequenceOf(1, _seqid + 1, cacheThis), .. operations]);

        /// <summary>What SEQUENCE came to.</summary>
        public void Heard(uint status, uint count, XdrCursor body)
        {
            if (status == BadSession)
            {
                Session.Dispose();
                Begin();
            }
            if (status != 0)
                return;
            Assert.Equal(Session.Session, (byte[])[.. Op4.U64(body.U64()), .. Op4.U64(body.U64())]);
            Assert.Equal((++_seqid, 1u), (body.U32(), body.U32()));
            Passed += count > 1 ? 1 : 0;
        }

        public void Dispose() => Session.Dispose();

        private void Begin()
        {
            Session = new Nfs41Client(_served.Server.EndPoints[0], $"{_name}.{Count++}");
            (Handle, Open, _) = Session.MustOpen(_root, $"{_name}.{Count}");
            (uint status, Locks) = Session.TryLock(Handle, Open, "owner");
            Assert.Equal(0u, status);
            _seqid = 0;
        }
    }

    private void Try(LiveClient client, uint minor, bool cacheThis, Op4[] operations) =>
        Try(client, client.Compound(minor, cacheThis, operations), operations.Length + 1);

    /// <summary>Sends a compound that begins with a SEQUENCE.</summary>
    private void Try(LiveClient client, byte[] compound, int operations)
    {
        Nfs4Client wire = client.Session.Wire;
        RpcAnswer answer = wire.Rpc.Call(Nfs4Client.Program, 4, 1, compound);
        Assert.True(answer.IsAccepted);
        Assert.True(answer.Status is 0 or 4, $"accept_stat {answer.Status}");
        Assert.InRange(answer.Body.Remaining, 0, 1 << 16); // ca_maxresponsesize
        Assert.Empty(_log.Errors);
        if (answer.Status != 0)
            return;
        uint status = answer.Body.U32();
        Assert.True(status <= 70 || status is >= 10001 and <= 10096, $"the compound answers {status}");
        Assert.Equal("t"u8.ToArray(), answer.Body.Opaque());
        uint count = answer.Body.U32();
        Assert.InRange(count, 0u, (uint)operations);
        if (count == 0)
            return;
        uint number = answer.Body.U32(), first = answer.Body.U32();
        Assert.True(number == Nfs41Client.Sequence || status == BadXdr, $"operation {number} answers first");
        if (count == 1)
            Assert.Equal(status, first);
        else
            Assert.Equal(0u, first);
        client.Heard(first, count, answer.Body);
    }

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
