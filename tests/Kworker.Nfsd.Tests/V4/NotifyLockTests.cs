using Kworker.Nfsd.State;
using Kworker.Nfsd.Tests.Wire;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>Who was refused a lock is told when it is free (CB_NOTIFY_LOCK), however he takes it: RFC 8881 sections 2.10.3, 20.9 and 20.11.</summary>
public sealed class NotifyLockTests : IAsyncDisposable
{
    private const uint Denied = 10010, Delay = 10008, BadSession = 10052, SeqMisordered = 10063, RetryUncachedRep = 10068;
    private const uint PathDown = 0x201, Fault = 0x400; // CB_PATH_DOWN with CB_PATH_DOWN_SESSION, BACKCHANNEL_FAULT
    private const uint MayNotifyLock = 0x20;
    private const uint BackChannelOnly = 2, ForeOrBoth = 3;

    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly ServedExports4 _served;
    private readonly Nfs41Client _holder;
    private readonly Nfs41Client _waiter;
    private readonly byte[] _root;
    private readonly byte[] _file;
    private readonly byte[] _held;
    private readonly byte[] _open;
    private byte[] _locks = [];

    public NotifyLockTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _served = new ServedExports4(["/export:rw,insecure,no_root_squash"], options => options.System = _system, null);
        _holder = new Nfs41Client(_served.Server.EndPoints[0], "holder");
        _waiter = new Nfs41Client(_served.Server.EndPoints[0], "waiter", withBackChannel: true);
        _root = _holder.Root("export");
        (_file, _held, uint flags) = _holder.MustOpen(_root, "file");
        Assert.Equal(0u, flags & MayNotifyLock); // it cannot be called
        (_, _open, flags) = _waiter.MustOpen(_root, "file");
        Assert.Equal(MayNotifyLock, flags & MayNotifyLock);
    }

    private NfsState State => _served.Server.Nfs4;

    public async ValueTask DisposeAsync()
    {
        _holder.Dispose();
        _waiter.Dispose();
        _served.Dispose();
        await _system.DisposeAsync();
    }

    [Fact]
    public void A_lock_that_is_free_again_is_told_to_who_asked_for_it()
    {
        for (uint round = 1; round <= 3; round++)
        {
            Refuse();
            Free();
            Callback4 call = Heard();
            Assert.Equal((round, Nfs41Client.CallbackProgram, "waiting"), (call.Seqid, call.Program, call.Owner));
            Assert.Equal(_waiter.ClientId, call.ClientId);
            Assert.Equal(_waiter.Session, call.Session);
            Assert.Equal(_file, call.Handle);
            _waiter.Wire.Rpc.Send(call.Ok());
            (uint status, byte[] locks) = _waiter.TryLock(_file, _open, "waiting", Nfs41Client.WriteLockWait);
            Assert.Equal(0u, status);
            Assert.Equal(0u, _waiter.StatusFlags);
            Assert.Equal(0u, _waiter.Unlock(_file, locks));
        }
        State.CallbackQueue.Flush(); // the answers have been dealt with
        Assert.Equal(0, State.NoticeCount);
    }

    [Fact]
    public void Only_who_says_that_he_asks_again_is_told_and_nobody_who_cannot_be()
    {
        Take();
        Assert.Equal(Denied, _waiter.TryLock(_file, _open, "trying").Status);
        using var deaf = new Nfs41Client(_served.Server.EndPoints[0], "deaf");
        byte[] open = deaf.MustOpen(_root, "file").Stateid;
        Assert.Equal(Denied, deaf.TryLock(_file, open, "waiting", Nfs41Client.WriteLockWait).Status);
        Assert.Equal(0, State.NoticeCount);
        Assert.Equal(0u, deaf.StatusFlags); // nor has it asked to be
    }

    [Fact]
    public void Who_waits_for_another_range_or_is_still_in_anothers_way_is_not_told()
    {
        Take();
        Refuse(offset: 0, length: 10);
        Assert.Equal(0u, _holder.Unlock(_file, _locks, 10, 100));
        Assert.Equal(1, State.NoticeCount);
        Assert.Equal(0u, _holder.Unlock(_file, _locks, 0, 5));
        Assert.Equal(1, State.NoticeCount);
        Assert.Equal(0u, _holder.Unlock(_file, _locks, 5, 5));
        Assert.Equal("waiting", Heard().Owner);
    }

    [Fact]
    public void All_that_wait_are_told_one_after_the_other_in_their_order_and_one_that_asks_twice_once()
    {
        Take();
        for (int i = 0; i < 20; i++)
            Assert.Equal(Denied, _waiter.TryLock(_file, _open, $"w{i}", Nfs41Client.ReadLockWait).Status);
        Assert.Equal(Denied, _waiter.TryLock(_file, _open, "w0", Nfs41Client.WriteLockWait).Status);
        Assert.Equal(20, State.NoticeCount);
        Free();
        for (uint i = 1; i <= 20; i++)
        {
            Callback4 call = Heard();
            Assert.Equal((i, $"w{i % 20}"), (call.Seqid, call.Owner));
            _waiter.Wire.Rpc.Send(call.Ok());
        }
        Assert.Equal(0u, _waiter.Run().Status);
        while (State.NoticeCount > 0)
            Assert.Equal(0u, _waiter.Run().Status);
    }

    [Fact]
    public void Who_gets_the_lock_otherwise_or_is_gone_is_not_told()
    {
        Take();
        Refuse();
        Assert.Equal(Denied, _waiter.TryLock(_file, _open, "other", Nfs41Client.WriteLockWait).Status);
        Assert.Equal(2, State.NoticeCount);
        _holder.MustClose(_file, _held);
        foreach (string owner in (string[])["waiting", "other"])
        {
            Callback4 call = Heard();
            Assert.Equal(owner, call.Owner);
            _waiter.Wire.Rpc.Send(call.Ok());
        }
        (uint status, _) = _waiter.TryLock(_file, _open, "waiting", Nfs41Client.WriteLockWait);
        Assert.Equal(0u, status);
        // Then the one who is silent: expired, he hears nothing, and nothing is left of him.
        byte[] open = _holder.MustOpen(_root, "file").Stateid;
        State.CallbackQueue.Flush(); // what becomes of the answer to a callback, the client's next call does not wait for
        Assert.Equal(0, State.NoticeCount);
        Assert.Equal(Denied, _holder.TryLock(_file, open, "back", Nfs41Client.WriteLockWait).Status);
        Assert.Equal(0, State.NoticeCount); // it cannot be called
    }

    [Fact]
    public async Task Who_does_not_ask_again_for_a_lease_is_forgotten()
    {
        Take();
        Refuse();
        for (int i = 0; i < 8; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(90) / 4);
            Assert.Equal(0u, _holder.Run().Status); // both are there
            Assert.Equal(0u, _waiter.Run().Status);
            await State.Queue.FlushAsync();
        }
        Assert.Equal(0, State.NoticeCount);
    }

    [Fact]
    public void Who_does_not_answer_holds_up_nobody_and_reads_that_he_cannot_be_called()
    {
        Refuse();
        Free();
        Callback4 first = Heard();
        Take(); // meanwhile all goes on
        Refuse();
        Free();
        Assert.Equal(0u, _waiter.Run().Status);
        Assert.Equal(0u, _waiter.StatusFlags);
        _time.Advance(TimeSpan.FromSeconds(10));
        AwaitFlags(PathDown);
        while (State.NoticeCount > 0)
            Assert.Equal(0u, _waiter.Run().Status); // given up, a moment after the connection was
        Assert.Equal(0u, _waiter.MustOpen(_root, "file").Flags & MayNotifyLock);

        // Bound again, it is called by the same number, since nobody knows whether it has seen the other. It has, and says so.
        Bind(_waiter.Wire, ForeOrBoth);
        Assert.Equal(0u, _waiter.Run().Status);
        Assert.Equal(0u, _waiter.StatusFlags);
        Refuse();
        Free();
        Callback4 second = Heard();
        Assert.Equal(first.Seqid, second.Seqid);
        _waiter.Wire.Rpc.Send(second.Failure(RetryUncachedRep));
        Callback4 third = Heard();
        Assert.Equal((first.Seqid + 1, "waiting"), (third.Seqid, third.Owner));
        _waiter.Wire.Rpc.Send(third.Ok());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("noise")]
    [InlineData("other session")]
    [InlineData("no program")]
    [InlineData("huge")]
    public void Who_answers_nonsense_is_not_called_any_more(string what)
    {
        Refuse();
        Free();
        Callback4 call = Heard();
        _waiter.Wire.Rpc.Send(what switch
        {
            "nothing" => call.Reply(new XdrBytes()),
            "noise" => call.Reply(new XdrBytes().U32(7).U32(uint.MaxValue).U32(0xdeadbeef)),
            "other session" => call.Reply(
                new XdrBytes().U32(0).Opaque([]).U32(2).U32(11).U32(0).U64(1).U64(2).U32(call.Seqid).U32(0).U32(0).U32(0).U32(13).U32(0)),
            "no program" => call.Unavailable(),
            _ => call.Reply(new XdrBytes().U32(0).Opaque([]).U32(1_000_000).Raw(new byte[4096])),
        });
        AwaitFlags(PathDown);
        Bind(_waiter.Wire, BackChannelOnly);
        Assert.Equal(0u, _waiter.Run().Status);
        Assert.Equal(0u, _waiter.StatusFlags);
    }

    [Fact]
    public void Who_wants_it_later_hears_it_later()
    {
        Refuse();
        Free();
        Callback4 call = Heard();
        _waiter.Wire.Rpc.Send(call.Failure(Delay));
        Callback4? again = null;
        _waiter.Wire.Rpc.OnCall = message =>
        {
            again = new Callback4(message);
            return again.Ok();
        };
        while (again is null)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Assert.Equal(0u, _waiter.Run().Status);
        }
        Assert.Equal((call.Seqid, call.Owner), (again.Seqid, again.Owner));
    }

    [Fact]
    public void Who_has_begun_anew_is_followed_and_who_knows_no_session_needs_another()
    {
        for (uint round = 1; round <= 2; round++)
        {
            Refuse();
            Free();
            _waiter.Wire.Rpc.Send(Heard().Ok());
        }
        Refuse();
        Free();
        Callback4 call = Heard();
        Assert.Equal(3u, call.Seqid);
        _waiter.Wire.Rpc.Send(call.Failure(SeqMisordered));
        call = Heard();
        Assert.Equal(1u, call.Seqid);
        _waiter.Wire.Rpc.Send(call.Failure(BadSession));
        AwaitFlags(Fault);
        Assert.Equal(0u, _waiter.MustOpen(_root, "file").Flags & MayNotifyLock);
    }

    [Fact]
    public void A_connection_that_is_closed_is_bound_no_more_and_another_may_be()
    {
        using Nfs4Client other = _served.Connect().As(0, 0);
        Take();
        Refuse();
        _waiter.Wire.Dispose();
        AwaitFlags(PathDown, other);
        Free();
        while (State.NoticeCount > 0)
            Assert.Equal(0u, _waiter.Run(other).Status); // given up, since there is no way to tell

        Bind(other, ForeOrBoth);
        Assert.Equal(0u, _waiter.Run(other).Status);
        Assert.Equal(0u, _waiter.StatusFlags);
        Take();
        Assert.Equal(Denied, Lock(other));
        Free();
        Callback4 call = new(other.Rpc.Receive());
        Assert.Equal(1u, call.Seqid);
        other.Rpc.Send(call.Ok());
    }

    [Fact]
    public void A_call_whose_connection_closes_goes_over_the_other_one_by_the_same_number()
    {
        using Nfs4Client first = _served.Connect().As(0, 0);
        Bind(first, BackChannelOnly);
        Refuse();
        Free();
        var lost = new Callback4(first.Rpc.Receive()); // the last that was bound
        first.Dispose();
        Callback4 call = Heard();
        Assert.Equal((lost.Seqid, lost.Owner), (call.Seqid, call.Owner));
        _waiter.Wire.Rpc.Send(call.Ok());
        Assert.Equal(0u, _waiter.Run().Status);
        Assert.Equal(0u, _waiter.StatusFlags);
    }

    [Fact]
    public void BACKCHANNEL_CTL_says_how_to_call()
    {
        Assert.Equal(0u, _waiter.Run(new Op4(Nfs41Client.BackchannelCtl, new XdrBytes().U32(0x40001234).U32(1).U32(0).ToArray())).Status);
        Refuse();
        Free();
        Assert.Equal(0x40001234u, Heard().Program);
    }

    [Fact]
    public void A_session_that_is_destroyed_takes_its_notices_along()
    {
        Take();
        Refuse();
        Assert.Equal(0u, _waiter.Wire.Send(Nfs4Client.Compound(1, "d"u8, new Op4(Nfs41Client.DestroySession, _waiter.Session))).Status);
        Free();
        // Over the wire there is nothing to be seen any more: what came before the answer would have been read as it.
        Assert.Equal(0u, _waiter.Wire.Run(Op4.PutRootFh).Status);
    }

    private void Take()
    {
        (uint status, _locks) = _holder.TryLock(_file, _held, "holder");
        Assert.Equal(0u, status);
    }

    private void Free() => Assert.Equal(0u, _holder.Unlock(_file, _locks));

    /// <summary>The holder has the lock, and the waiter is refused it.</summary>
    private void Refuse(ulong offset = 0, ulong length = ulong.MaxValue)
    {
        Take();
        Assert.Equal(Denied, _waiter.TryLock(_file, _open, "waiting", Nfs41Client.WriteLockWait, offset, length).Status);
        Assert.True(State.NoticeCount > 0);
    }

    private uint Lock(Nfs4Client over) =>
        _waiter.Run(over, Op4.PutFh(_file), _waiter.LockOf(_open, "waiting", Nfs41Client.WriteLockWait)).Status;

    private Callback4 Heard() => new(_waiter.Wire.Rpc.Receive());

    private void Bind(Nfs4Client over, uint channels)
    {
        Reply4 reply = over.Send(Nfs4Client.Compound(
            1, "b"u8, new Op4(Nfs41Client.BindConnection, new XdrBytes().Raw(_waiter.Session).U32(channels).U32(0).ToArray())));
        Assert.Equal(0u, reply.Next(Nfs41Client.BindConnection));
        reply.Body.U64();
        reply.Body.U64();
        Assert.Equal(channels, reply.Body.U32());
    }

    /// <summary>Asks until the server has seen what has happened.</summary>
    private void AwaitFlags(uint expected, Nfs4Client? over = null)
    {
        do
            Assert.Equal(0u, _waiter.Run(over ?? _waiter.Wire).Status);
        while (_waiter.StatusFlags == 0);
        Assert.Equal(expected, _waiter.StatusFlags);
    }
}
