using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>Sessions on the wire: what SEQUENCE refuses, and that what is sent twice is done once. RFC 8881 sections 2.10.6, 18.34, 18.37 and 18.46; RFC 7530 section 9.1.9.</summary>
public sealed class SessionWireTests : IDisposable
{
    private const uint Exist = 17, StaleClientid = 10022, BadXdr = 10036, BadSession = 10052, BadSlot = 10053, SeqMisordered = 10063, SequencePos = 10064,
        ReqTooBig = 10065, RepTooBig = 10066, RepTooBigToCache = 10067, RetryUncachedRep = 10068, TooManyOps = 10070, ClientidBusy = 10074, SeqFalseRetry = 10076,
        BadHighSlot = 10077, NotOnlyOp = 10081;

    private const uint Slots = 4, Operations = 16;

    private readonly ServedExports4 _served = new("/export:rw,insecure,no_root_squash");
    private readonly Nfs41Client _client;
    private readonly byte[] _root;

    public SessionWireTests()
    {
        _client = new Nfs41Client(_served.Server.EndPoints[0], "client", slots: Slots);
        _root = _client.Root("export");
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void SEQUENCE_of_no_session_no_slot_or_no_number_is_refused()
    {
        byte[] unknown = [.. _client.Session];
        unknown[^1] ^= 1;
        Assert.Equal(BadSession, First(Sequence(unknown, 1, 1)));
        Assert.Equal(BadSession, First(Sequence(new byte[16], 1, 1)));
        Assert.Equal(BadSlot, First(Sequence(_client.Session, 1, Slots)));
        Assert.Equal(BadSlot, First(Sequence(_client.Session, 1, uint.MaxValue)));
        Assert.Equal(BadHighSlot, First(Sequence(_client.Session, 1, 1, highest: Slots)));
        Assert.Equal(SeqMisordered, First(Sequence(_client.Session, 0, 1)));
        Assert.Equal(SeqMisordered, First(Sequence(_client.Session, 2, 1)));
        Assert.Equal(0u, First(Sequence(_client.Session, 1, 1))); // none of them was one

        uint First(Op4 sequence)
        {
            Reply4 reply = _client.Wire.Send(Nfs4Client.Compound(1, "t"u8, sequence, Op4.PutRootFh));
            uint status = reply.Next(Nfs41Client.Sequence);
            Assert.Equal((status, status == 0 ? 2u : 1u), (reply.Status, reply.Count));
            return status;
        }
    }

    [Fact]
    public void SEQUENCE_comes_first_and_what_needs_none_comes_alone()
    {
        Reply4 reply = _client.Run(Op4.PutRootFh, Sequence(_client.Session, 1, 1)).Skip(Op4.PutRootFh);
        Assert.Equal(SequencePos, reply.Next(Nfs41Client.Sequence));
        reply = _client.Wire.Send(Nfs4Client.Compound(1, "t"u8, Nfs41Client.ExchangeIdOf("client"), Op4.PutRootFh));
        Assert.Equal((NotOnlyOp, 1u), (reply.Status, reply.Count));
        reply = _client.Wire.Send(Nfs4Client.Compound(1, "t"u8, new Op4(Nfs41Client.DestroySession, _client.Session), Op4.PutRootFh));
        Assert.Equal((NotOnlyOp, 1u), (reply.Status, reply.Count));
        // In its own session it must be the last (RFC 8881 section 18.37.3).
        Assert.Equal(NotOnlyOp, _client.Run(new Op4(Nfs41Client.DestroySession, _client.Session), Op4.PutRootFh).Status);
        Assert.Equal(0u, _client.Run(new Op4(Nfs41Client.DestroySession, _client.Session)).Status);
        Assert.Equal(0, _served.Server.Nfs4.SessionCount);
    }

    [Fact]
    public void A_compound_has_as_many_operations_as_was_agreed_upon()
    {
        Assert.Equal(0u, _client.Run([.. Enumerable.Repeat(Op4.PutRootFh, (int)Operations - 1)]).Status);
        Op4[] many = [Sequence(_client.Session, 1, 1), .. Enumerable.Repeat(Op4.PutRootFh, (int)Operations)];
        Reply4 reply = _client.Wire.Send(Nfs4Client.Compound(1, "t"u8, many));
        Assert.Equal((TooManyOps, 1u), (reply.Status, reply.Count));
        Assert.Equal(TooManyOps, reply.Next(Nfs41Client.Sequence));
    }

    [Fact]
    public void Requests_and_replies_are_as_long_as_was_agreed_upon()
    {
        const uint size = 1024, cached = 512;
        File.WriteAllBytes(Path.Combine(_served.Paths[0], "file"), new byte[4096]);
        using var small = new Nfs41Client(_served.Server.EndPoints[0], "small", size: size, cached: cached);
        byte[] file = small.Run(Op4.PutFh(_root), Op4.Lookup("file"u8), Op4.GetFh).Skip(Op4.PutFh([]), Op4.Lookup([]), Op4.GetFh).Body.Opaque();

        Reply4 reply = small.Wire.Send(Nfs4Client.Compound(1, "t"u8, small.SequenceOf(1, 1), Op4.PutFh(file), Op4.Write(0, new byte[size])));
        Assert.Equal((ReqTooBig, 1u), (reply.Status, reply.Count));
        Assert.Equal(0u, small.Run(Op4.PutFh(file), Op4.Write(0, new byte[size / 2])).Status);

        Assert.Equal(0u, small.Run(Op4.PutFh(file), Op4.Read(0, size / 2)).Status);
        reply = small.Run(Op4.PutFh(file), Op4.Read(0, size)).Skip(Op4.PutFh([]));
        Assert.Equal(RepTooBig, reply.Next(25));
        reply.Body.End();

        // What could not be kept is not done, if it was to be kept.
        reply = small.Wire.Send(Nfs4Client.Compound(1, "t"u8, small.SequenceOf(1, 1, cacheThis: true), Op4.PutFh(file), Op4.Read(0, cached), Op4.PutFh(_root), Op4.MkDir("made"u8)));
        Assert.Equal((RepTooBigToCache, 3u), (reply.Status, reply.Count));
        Op4[] twice = [small.SequenceOf(1, 2, cacheThis: true), Op4.PutFh(file), Op4.Read(0, cached / 2), Op4.PutFh(_root), Op4.MkDir("made"u8)];
        reply = small.Wire.Send(Nfs4Client.Compound(1, "t"u8, twice));
        Assert.Equal((RepTooBigToCache, 5u), (reply.Status, reply.Count));
        Assert.False(Directory.Exists(Path.Combine(_served.Paths[0], "made")));
    }

    [Fact]
    public void A_connection_is_bound_to_a_session_that_there_is_for_a_channel_that_there_is()
    {
        Assert.Equal(0u, Bind(_client.Session, 1).Status); // CDFC4_FORE
        byte[] unknown = [.. _client.Session];
        unknown[^1] ^= 1;
        Assert.Equal(BadSession, Bind(unknown, 1).Status);
        foreach (uint channel in (uint[])[0, 4, 8, uint.MaxValue])
            Assert.Equal(BadXdr, Bind(_client.Session, channel).Status);

        Reply4 Bind(byte[] session, uint channel) => _client.Wire.Send(
            Nfs4Client.Compound(1, "b"u8, new Op4(Nfs41Client.BindConnection, new XdrBytes().Raw(session).U32(channel).U32(0).ToArray())));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_sent_twice_is_done_once_and_answered_alike(bool isOtherConnection)
    {
        using Nfs4Client other = _served.Connect().As(0, 0);
        byte[] request = Nfs4Client.Compound(1, "t"u8, _client.SequenceOf(1, 1, cacheThis: true), Op4.PutFh(_root), Op4.MkDir("made"u8), Op4.GetFh);
        byte[] first = Answer(_client.Wire, request), again = Answer(isOtherConnection ? other : _client.Wire, request);
        Assert.Equal(first, again);
        Assert.Equal(0u, new XdrCursor(again).U32());
        Assert.Equal(["made"], Directory.GetDirectories(_served.Paths[0]).Select(Path.GetFileName));
        // Under the next number it is another request, and too late.
        Assert.Equal(Exist, _client.Wire.Send(Nfs4Client.Compound(1, "t"u8, _client.SequenceOf(1, 2, cacheThis: true), Op4.PutFh(_root), Op4.MkDir("made"u8))).Status);
    }

    [Fact]
    public void What_was_not_to_be_kept_is_done_once_too_and_refused_when_it_comes_again()
    {
        byte[] request = Nfs4Client.Compound(1, "t"u8, _client.SequenceOf(1, 1), Op4.PutFh(_root), Op4.Remove("made"u8));
        Directory.CreateDirectory(Path.Combine(_served.Paths[0], "made"));
        Assert.Equal(0u, _client.Wire.Send(request).Status);
        Directory.CreateDirectory(Path.Combine(_served.Paths[0], "made"));
        Reply4 reply = _client.Wire.Send(request);
        Assert.Equal((RetryUncachedRep, 2u), (reply.Status, reply.Count));
        Assert.Equal(0u, reply.Next(Nfs41Client.Sequence));
        for (int word = 0; word < 9; word++)
            reply.Body.U32();
        Assert.Equal(RetryUncachedRep, reply.Next(Op4.PutFh([]))); // RFC 8881 section 2.10.6.1.3
        reply.Body.End();
        Assert.True(Directory.Exists(Path.Combine(_served.Paths[0], "made")));
    }

    [Fact]
    public void Another_request_under_an_old_number_is_no_retry()
    {
        Assert.Equal(0u, Make("one"));
        Assert.Equal(SeqFalseRetry, Make("two")); // RFC 8881 section 2.10.6.1.3.1
        Assert.Equal(0u, Make("one"));
        using Nfs4Client other = _served.Connect().As(7, 7);
        Assert.Equal(SeqFalseRetry, Make("one", other)); // nor is one of another user
        Assert.False(Directory.Exists(Path.Combine(_served.Paths[0], "two")));

        uint Make(string name, Nfs4Client? over = null) => (over ?? _client.Wire).Send(Nfs4Client.Compound(
            1, "t"u8, _client.SequenceOf(1, 1, cacheThis: true), Op4.PutFh(_root), Op4.MkDir(System.Text.Encoding.ASCII.GetBytes(name)))).Status;
    }

    /// <summary>In 4.0 the number of the owner's request says it, whatever the xid; the cache of replies never sees that it is the same (RFC 7530 section 9.1.9).</summary>
    [Fact]
    public void In_4_0_OPEN_LOCK_LOCKU_and_CLOSE_that_are_sent_twice_are_done_once()
    {
        using var old = new Nfs40Client(_served.Server.EndPoints[0], "old");
        using Nfs4Client other = _served.Connect().As(0, 0);
        byte[] Twice(params ReadOnlySpan<Op4> operations)
        {
            byte[] request = Nfs4Client.Compound(0, "t"u8, operations);
            byte[] first = Answer(old.Wire, request);
            Assert.Equal(first, Answer(old.Wire, request));
            Assert.Equal(first, Answer(other, request));
            return first;
        }
        Reply4 Read(byte[] answer)
        {
            var body = new XdrCursor(answer);
            var reply = new Reply4(body.U32(), body.Opaque(), body.U32(), body);
            Assert.Equal(0u, reply.Status);
            return reply.Skip(Op4.PutFh([]));
        }
        byte[] In(uint operation, byte[] answer)
        {
            Reply4 reply = Read(answer);
            Assert.Equal(0u, reply.Next(operation));
            return Nfs41Client.Stateid(reply);
        }

        Reply4 opened = Read(Twice(Op4.PutFh(_root), old.OpenOf("o", 1, "file"), Op4.GetFh));
        byte[] open = Nfs40Client.ReadOpen(opened).Stateid;
        Assert.Equal(0u, opened.Next(Op4.GetFh)); // the retry, too, leaves the file as the current one
        byte[] file = opened.Body.Opaque();
        open = In(Nfs40Client.OpenConfirm, Twice(Op4.PutFh(file), Nfs40Client.OpenConfirmOf(open, 2)));
        byte[] locks = In(Nfs40Client.Lock, Twice(Op4.PutFh(file), old.LockOf(open, 3, "l", 1, Nfs40Client.WriteLock, 0, 10)));
        Assert.Equal(1u, locks[3]);
        locks = In(Nfs40Client.Lock, Twice(Op4.PutFh(file), Nfs40Client.LockOf(locks, 2, Nfs40Client.WriteLock, 20, 10)));
        Assert.Equal(2u, locks[3]);
        locks = In(Nfs40Client.LockU, Twice(Op4.PutFh(file), Nfs40Client.LockUOf(locks, 3, 0, 10)));
        Assert.Equal(3u, locks[3]);
        In(Nfs40Client.Close, Twice(Op4.PutFh(file), Nfs40Client.CloseOf(open, 4)));
        Assert.Equal(0u, other.Run(Op4.PutFh(_root), old.OpenOf("o", 5, "file", deny: 3)).Status); // nothing is open any more
    }

    [Fact]
    public void A_stranger_does_nothing_in_a_session_whose_name_he_has_not_seen()
    {
        using var stranger = new Nfs41Client(_served.Server.EndPoints[0], "stranger");
        Assert.Equal(_client.Session[..8], Op4.U64(_client.ClientId)); // that half can be guessed
        byte[] guess = [.. _client.Session[..8], .. stranger.Session[8..]];
        Op4[][] all = [[Sequence(guess, 1, 1), Op4.PutRootFh], [new Op4(Nfs41Client.DestroySession, guess)], [Nfs41Client.CreateSessionOf(_client.ClientId, 99, 0, 1)]];
        uint[] due = [BadSession, BadSession, SeqMisordered];
        Assert.Equal(due, all.Select(operations => stranger.Wire.Send(Nfs4Client.Compound(1, "t"u8, operations)).Status));
        Assert.Equal(ClientidBusy, stranger.Run(new Op4(Nfs41Client.DestroyClientid, Op4.U64(_client.ClientId))).Status);
        Assert.Equal(BadSession, stranger.Run(new Op4(Nfs41Client.DestroySession, guess)).Status);
        // Ids of clients can be guessed; those of 4.0, which has no such operation, are none to it, whether they have confirmed or not.
        using var old = new Nfs40Client(_served.Server.EndPoints[0], "old");
        (ulong fresh, ulong verifier) = Nfs40Client.Introduce(old.Wire, "fresh");
        foreach (ulong id in (ulong[])[old.ClientId, fresh])
            Assert.Equal(StaleClientid, stranger.Run(new Op4(Nfs41Client.DestroyClientid, Op4.U64(id))).Status);
        Assert.Equal(0u, old.Wire.Run(Nfs40Client.RenewOf(old.ClientId)).Status);
        Assert.Equal(0u, old.Wire.Run(Nfs40Client.ConfirmOf(fresh, verifier)).Status);
        Assert.Equal(0u, _client.Run(Op4.PutRootFh).Status);
        Assert.Equal(2, _served.Server.Nfs4.SessionCount);
    }

    private static Op4 Sequence(byte[] session, uint seqid, uint slot, uint highest = Slots - 1) =>
        new(Nfs41Client.Sequence, new XdrBytes().Raw(session).U32(seqid).U32(slot).U32(highest).Bool(false).ToArray());

    /// <summary>A compound's answer as it came, behind what is RPC's and has the call's own number.</summary>
    private static byte[] Answer(Nfs4Client over, byte[] compound)
    {
        const int header = 6 * 4; // xid, REPLY, MSG_ACCEPTED, a verifier of AUTH_NONE, SUCCESS
        uint xid = (uint)Random.Shared.Next();
        over.Rpc.Send(RpcConnection.Message(xid, Nfs4Client.Program, 4, 1, over.Rpc.Credential, compound));
        byte[] message = over.Rpc.Receive();
        Assert.Equal((true, 0u), (RpcConnection.Parse(xid, message).IsAccepted, RpcConnection.Parse(xid, message).Status));
        return message[header..];
    }
}
