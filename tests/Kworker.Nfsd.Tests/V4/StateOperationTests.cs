using System.Text;
using Kworker.Nfsd.Tests.Wire;

namespace Kworker.Nfsd.Tests.V4;

/// <summary>The operations about state as they are on the wire, each with its errors: RFC 7530 section 16, RFC 8881 section 18, RFC 7862 section 15, RFC 8276 section 8.</summary>
public sealed class StateOperationTests : IDisposable
{
    private const uint NoEnt = 2, Exist = 17, Inval = 22, NXio = 6, Denied = 10010, ClidInUse = 10017, NoFileHandle = 10020, StaleClientid = 10022, OldStateid = 10024,
        BadStateid = 10025, BadSeqid = 10026, StaleStateid = 10023, NotSupp = 10004, BadXdr = 10036, LocksHeld = 10037, OpenMode = 10038, OpIllegal = 10044,
        TooSmall = 10005, ClientidBusy = 10074, UnionNotSupp = 10090, NoXattr = 10095;

    private const uint Allocate = 59, Deallocate = 62, Seek = 69, GetXattr = 72, SetXattr = 73, ListXattrs = 74, RemoveXattr = 75;

    private static readonly byte[] s_anonymous = new byte[16];

    private readonly ServedExports4 _served = new("/export:rw,insecure,no_root_squash");
    private readonly Nfs40Client _client;
    private readonly byte[] _root;

    public StateOperationTests()
    {
        _client = new Nfs40Client(_served.Server.EndPoints[0], "client");
        _root = _client.Wire.Handle(Op4.PutRootFh, Op4.Lookup("export"u8));
    }

    public void Dispose()
    {
        _client.Dispose();
        _served.Dispose();
    }

    [Fact]
    public void A_client_of_4_0_is_one_when_it_has_confirmed_and_goes_on_by_RENEW()
    {
        using Nfs4Client wire = _served.Connect().As(0, 0);
        (ulong id, ulong verifier) = Nfs40Client.Introduce(wire, "other");
        Assert.Equal(StaleClientid, wire.Run(Nfs40Client.ConfirmOf(id, verifier + 1)).Status);
        using Nfs4Client stranger = _served.Connect().As(7, 7);
        Assert.Equal(ClidInUse, stranger.Run(Nfs40Client.ConfirmOf(id, verifier)).Status);
        Assert.Equal(0u, wire.Run(Nfs40Client.ConfirmOf(id, verifier)).Status);
        Assert.Equal(0u, wire.Run(Nfs40Client.ConfirmOf(id, verifier)).Status); // sent again
        Assert.Equal(0u, wire.Run(Nfs40Client.RenewOf(id)).Status);
        Assert.Equal(StaleClientid, wire.Run(Nfs40Client.RenewOf(id ^ 1ul << 40)).Status); // of another start of the server
        Assert.Equal(2, _served.Server.Nfs4.ClientCount);
    }

    [Fact]
    public void A_name_that_somebody_else_has_is_taken_from_nobody_who_has_files_open()
    {
        _client.MustOpen(_root, "o", 1, "file");
        using Nfs4Client stranger = _served.Connect().As(7, 7);
        (uint status, Reply4 reply) = stranger.Last(Nfs40Client.IntroductionOf("client", 2));
        Assert.Equal(ClidInUse, status);
        Assert.Equal("tcp"u8.ToArray(), reply.Body.Opaque()); // where the other one is called back (clientaddr4)
        Assert.Equal("127.0.0.1.3.255"u8.ToArray(), reply.Body.Opaque());
        reply.Body.End();
    }

    [Fact]
    public void OPEN_of_a_new_owner_is_good_for_nothing_until_it_is_confirmed()
    {
        Reply4 reply = _client.Wire.Run(Op4.PutFh(_root), _client.OpenOf("o", 5, "file"), Op4.GetFh);
        (byte[] open, uint flags) = Nfs40Client.ReadOpen(reply.Skip(Op4.PutFh([])));
        Assert.Equal(2u, flags & 2); // OPEN4_RESULT_CONFIRM
        Assert.Equal(0u, reply.Next(Op4.GetFh));
        byte[] handle = reply.Body.Opaque();
        Assert.Equal(BadStateid, Write(_client.Wire, handle, open));
        Assert.Equal(BadSeqid, _client.In(handle, Nfs40Client.OpenConfirmOf(open, 7)).Status);
        Assert.Equal(NoFileHandle, _client.Wire.Run(Nfs40Client.OpenConfirmOf(open, 6)).Status);

        (uint status, byte[] confirmed) = _client.In(handle, Nfs40Client.OpenConfirmOf(open, 6));
        Assert.Equal(0u, status);
        Assert.Equal(2u, confirmed[3]);
        Assert.Equal(0u, Write(_client.Wire, handle, confirmed));
        Assert.Equal(OldStateid, Write(_client.Wire, handle, open));
        Assert.Equal(BadStateid, _client.In(handle, Nfs40Client.OpenConfirmOf(confirmed, 7)).Status);

        // The owner is known now.
        reply = _client.Wire.Run(Op4.PutFh(_root), _client.OpenOf("o", 7, "other"));
        Assert.Equal(0u, Nfs40Client.ReadOpen(reply.Skip(Op4.PutFh([]))).Flags & 2);
        Assert.Equal(0u, _client.In(handle, Nfs40Client.CloseOf(confirmed, 8)).Status);
        Assert.Equal(BadStateid, Write(_client.Wire, handle, confirmed));
    }

    [Fact]
    public void OPEN_DOWNGRADE_goes_back_to_what_was_asked_for_before()
    {
        (byte[] handle, _) = _client.MustOpen(_root, "o", 1, "file", access: 1);
        byte[] both = Nfs40Client.ReadOpen(_client.Wire.Run(Op4.PutFh(_root), _client.OpenOf("o", 3, "file", access: 3, deny: 2)).Skip(Op4.PutFh([]))).Stateid;
        using var other = new Nfs40Client(_served.Server.EndPoints[0], "other");
        Assert.Equal(10015u, other.Wire.Run(Op4.PutFh(_root), other.OpenOf("o", 1, "file")).Status); // SHARE_DENIED

        Assert.Equal(0u, Write(_client.Wire, handle, both));
        Assert.Equal(Inval, _client.In(handle, Nfs40Client.OpenDowngradeOf(both, 4, access: 2)).Status); // it never opened it so
        Assert.Equal(Inval, _client.In(handle, Nfs40Client.OpenDowngradeOf(both, 5, access: 0)).Status);
        Assert.Equal(BadSeqid, _client.In(handle, Nfs40Client.OpenDowngradeOf(both, 9, access: 1)).Status);
        (uint status, byte[] reading) = _client.In(handle, Nfs40Client.OpenDowngradeOf(both, 6, access: 1));
        Assert.Equal(0u, status);
        Assert.Equal(both[3] + 1, reading[3]);
        Assert.Equal(OpenMode, Write(_client.Wire, handle, reading));
        Assert.Equal(0u, other.Wire.Run(Op4.PutFh(_root), other.OpenOf("o", 2, "file")).Status);
    }

    [Fact]
    public void Locks_are_taken_asked_for_and_given_back_and_their_owner_is_forgotten()
    {
        (byte[] handle, byte[] open) = _client.MustOpen(_root, "o", 1, "file");
        (uint status, byte[] locks) = _client.In(handle, _client.LockOf(open, 3, "l", 1, Nfs40Client.WriteLock, 10, 20));
        Assert.Equal(0u, status);
        Assert.Equal(0u, Write(_client.Wire, handle, locks));

        // LOCK and LOCKT of others say who is in the way; the owner's own locks are in nobody's.
        using var other = new Nfs40Client(_served.Server.EndPoints[0], "other");
        (_, byte[] rival) = other.MustOpen(_root, "o", 1, "file");
        AssertDenied(other.Wire.Last(Op4.PutFh(handle), other.LockTOf("l", Nfs40Client.ReadLock, 0, ulong.MaxValue)).Reply);
        AssertDenied(other.Wire.Last(Op4.PutFh(handle), other.LockOf(rival, 3, "l", 1, Nfs40Client.WriteLock, 29, 1)).Reply);
        Assert.Equal(0u, other.Wire.Run(Op4.PutFh(handle), other.LockTOf("l", Nfs40Client.WriteLock, 30, 5)).Status);
        Assert.Equal(0u, _client.Wire.Run(Op4.PutFh(handle), _client.LockTOf("l", Nfs40Client.WriteLock, 0, 100)).Status);
        Assert.Equal(Denied, _client.Wire.Run(Op4.PutFh(handle), _client.LockTOf("another", Nfs40Client.WriteLock, 0, 100)).Status);
        Assert.Equal(Inval, _client.Wire.Run(Op4.PutFh(handle), _client.LockTOf("l", Nfs40Client.WriteLock, 0, 0)).Status);

        // More, by the owner that is known now; then all but a byte of it away.
        (status, locks) = _client.In(handle, Nfs40Client.LockOf(locks, 2, Nfs40Client.WriteLock, 100, 10));
        Assert.Equal(0u, status);
        Assert.Equal(BadSeqid, _client.In(handle, Nfs40Client.LockOf(locks, 9, Nfs40Client.WriteLock, 200, 10)).Status);
        (status, locks) = _client.In(handle, Nfs40Client.LockUOf(locks, 3, 11, ulong.MaxValue));
        Assert.Equal(0u, status);
        Assert.Equal(LocksHeld, _client.Wire.Run(_client.ReleaseOf("l")).Status);
        (status, byte[] unlocked) = _client.In(handle, Nfs40Client.LockUOf(locks, 4, 0, ulong.MaxValue));
        Assert.Equal(0u, status);
        Assert.Equal(0u, _client.Wire.Run(_client.ReleaseOf("l")).Status);
        Assert.Equal(BadStateid, _client.In(handle, Nfs40Client.LockOf(unlocked, 5, Nfs40Client.WriteLock, 0, 10)).Status);
        Assert.Equal(0u, _client.Wire.Run(_client.ReleaseOf("nobody")).Status);
        Assert.Equal(0u, other.In(handle, other.LockOf(rival, 4, "l", 1, Nfs40Client.WriteLock, 0, ulong.MaxValue)).Status);
    }

    [Fact]
    public void DELEGRETURN_is_known_though_no_delegation_is_given_out()
    {
        (byte[] handle, byte[] open) = _client.MustOpen(_root, "o", 1, "file");
        byte[] locks = _client.In(handle, _client.LockOf(open, 3, "l", 1, Nfs40Client.WriteLock, 10, 20)).Stateid;
        byte[] ofOtherStart = [.. open[..4], (byte)(open[4] ^ 1), .. open[5..]];
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session");
        byte[] opened = session.MustOpen(_root, "file").Stateid;
        foreach ((byte[] stateid, uint due) in ((byte[], uint)[])
            [(open, BadStateid), (locks, BadStateid), (s_anonymous, BadStateid), (opened, BadStateid), (ofOtherStart, StaleStateid)])
        {
            (uint status, Reply4 reply) = _client.Wire.Last(Op4.PutFh(handle), new Op4(Nfs40Client.DelegReturn, stateid));
            Assert.Equal(due, status);
            reply.Body.End();
        }
        Assert.Equal(NoFileHandle, _client.Wire.Run(new Op4(Nfs40Client.DelegReturn, open)).Status);
        Assert.Equal(BadXdr, _client.Wire.Run(Op4.PutFh(handle), new Op4(Nfs40Client.DelegReturn, open[..12])).Status);

        foreach (uint minor in (uint[])[1, 2])
        {
            session.MinorVersion = minor;
            Assert.Equal(NoFileHandle, session.Run(new Op4(Nfs41Client.DelegReturn, opened)).Status);
            // In a session there are no stale stateids, and the current one is what the OPEN before left (RFC 8881 section 16.2.3.1.2).
            foreach (byte[] stateid in (byte[][])[opened, Nfs41Client.Latest(opened), open, ofOtherStart, s_anonymous, [0, 0, 0, 1, .. new byte[12]]])
            {
                Reply4 reply = session.Run(Op4.PutFh(handle), new Op4(Nfs41Client.DelegReturn, stateid)).Skip(Op4.PutFh([]));
                Assert.Equal(BadStateid, reply.Next(Nfs41Client.DelegReturn));
                reply.Body.End();
            }
        }
        Assert.Equal(0u, Write(_client.Wire, handle, open)); // what was named is as it was
    }

    [Fact]
    public void TEST_STATEID_tells_of_each()
    {
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session");
        using var other = new Nfs41Client(_served.Server.EndPoints[0], "other");
        byte[] first = session.MustOpen(_root, "file").Stateid, second = session.MustOpen(_root, "file").Stateid;
        byte[] foreign = other.MustOpen(_root, "file").Stateid, future = [.. Op4.U32(99), .. second[4..]];
        byte[][] all = [second, first, future, Nfs41Client.Latest(second), foreign, s_anonymous];
        XdrBytes arguments = new XdrBytes().U32((uint)all.Length);
        foreach (byte[] stateid in all)
            arguments.Raw(stateid);
        Reply4 reply = session.Run(new Op4(Nfs41Client.TestStateid, arguments.ToArray()));
        Assert.Equal(0u, reply.Next(Nfs41Client.TestStateid));
        Assert.Equal((uint)all.Length, reply.Body.U32());
        Assert.Equal([0u, OldStateid, BadStateid, 0u, BadStateid, BadStateid], all.Select(_ => reply.Body.U32()).ToArray());
        reply.Body.End();
        reply = session.Run(new Op4(Nfs41Client.TestStateid, Op4.U32(0)));
        Assert.Equal((0u, 0u), (reply.Next(Nfs41Client.TestStateid), reply.Body.U32()));
    }

    [Fact]
    public void FREE_STATEID_takes_what_holds_nothing()
    {
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session");
        (byte[] handle, byte[] open, _) = session.MustOpen(_root, "file");
        (_, byte[] locks) = session.TryLock(handle, open, "l");
        Assert.Equal(LocksHeld, Free(open)); // a file that is open (RFC 8881 section 18.38.3)
        Assert.Equal(LocksHeld, Free(locks));
        Assert.Equal(0u, session.Unlock(handle, locks));
        Assert.Equal(0u, Free(Nfs41Client.Latest(locks)));
        Assert.Equal(BadStateid, Free(Nfs41Client.Latest(locks)));
        Assert.Equal(BadStateid, Free(s_anonymous));
        Assert.Equal(0u, session.MustClose(handle, open));
        Assert.Equal(BadStateid, Free(Nfs41Client.Latest(open)));
        Assert.Equal(0, _served.Server.Nfs4.StateCount);

        uint Free(byte[] stateid) => session.Run(new Op4(Nfs41Client.FreeStateid, stateid)).Status;
    }

    [Fact]
    public void SECINFO_NO_NAME_tells_of_an_object_or_its_parent_and_leaves_no_filehandle()
    {
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session");
        (byte[] handle, _, _) = session.MustOpen(_root, "file");
        const uint current = 0, parent = 1;
        foreach ((byte[] of, uint style) in ((byte[], uint)[])[(_root, current), (_root, parent), (handle, current)])
        {
            Reply4 reply = session.Run(Op4.PutFh(of), new Op4(Nfs41Client.SecInfoNoName, Op4.U32(style)), Op4.GetFh).Skip(Op4.PutFh([]));
            Assert.Equal(0u, reply.Next(Nfs41Client.SecInfoNoName));
            Assert.Equal((1u, 1u), (reply.Body.U32(), reply.Body.U32())); // AUTH_SYS
            Assert.Equal(NoFileHandle, reply.Next(Op4.GetFh)); // RFC 8881 section 2.6.3.1.1.8
            reply.Body.End();
        }
        Assert.Equal(NoEnt, session.Run(Op4.PutRootFh, new Op4(Nfs41Client.SecInfoNoName, Op4.U32(parent))).Status);
        Assert.Equal(BadXdr, session.Run(Op4.PutRootFh, new Op4(Nfs41Client.SecInfoNoName, Op4.U32(2))).Status);
        Assert.Equal(NoFileHandle, session.Run(new Op4(Nfs41Client.SecInfoNoName, Op4.U32(current))).Status);
    }

    [Fact]
    public void DESTROY_CLIENTID_ends_a_client_that_has_nothing_any_more()
    {
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session");
        using Nfs4Client wire = _served.Connect().As(0, 0);
        var destroy = new Op4(Nfs41Client.DestroyClientid, Op4.U64(session.ClientId));
        Assert.Equal(ClientidBusy, session.Run(destroy).Status);
        Assert.Equal(ClientidBusy, wire.Send(Nfs4Client.Compound(1, "d"u8, destroy)).Status);
        Assert.Equal(0u, wire.Send(Nfs4Client.Compound(1, "d"u8, new Op4(Nfs41Client.DestroySession, session.Session))).Status);
        Assert.Equal(0u, wire.Send(Nfs4Client.Compound(1, "d"u8, destroy)).Status);
        Assert.Equal(StaleClientid, wire.Send(Nfs4Client.Compound(1, "d"u8, destroy)).Status);
        Assert.Equal(OpIllegal, wire.Run(destroy).Status); // 4.0 has none
        Assert.Equal(1, _served.Server.Nfs4.ClientCount);
    }

    [Fact]
    public void Storage_is_taken_given_back_and_its_holes_are_found_through_4_2()
    {
        const uint data = 0, hole = 1;
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session") { MinorVersion = 2 };
        (byte[] handle, byte[] open, _) = session.MustOpen(_root, "file");
        var path = Path.Combine(_served.Paths[0], "file");
        Assert.Equal(0u, Storage(Allocate, open, 0, 1 << 20));
        Assert.Equal(1 << 20, new FileInfo(path).Length);
        File.WriteAllBytes(path, [.. Enumerable.Repeat((byte)1, 1 << 20)]);
        Assert.Equal(0u, Storage(Deallocate, open, 256 << 10, 256 << 10));
        Assert.Equal(1 << 20, new FileInfo(path).Length);
        Assert.Equal(256 << 10, File.ReadAllBytes(path).Count(one => one == 0));

        Assert.Equal((0u, false, 256ul << 10), SeekFrom(0, hole));
        Assert.Equal((0u, false, 512ul << 10), SeekFrom(256 << 10, data));
        Assert.Equal((0u, true, 1ul << 20), SeekFrom(512 << 10, hole));
        Assert.Equal(NXio, SeekFrom(1 << 20, data).Status); // RFC 7862 section 15.11.3
        Assert.Equal(UnionNotSupp, SeekFrom(0, 2).Status);

        Assert.Equal(Inval, Storage(Allocate, open, 0, 0));
        Assert.Equal(Inval, Storage(Allocate, open, ulong.MaxValue, 2));
        Assert.Equal(BadStateid, Storage(Allocate, [.. Op4.U32(99), .. open[4..]], 0, 1));
        Assert.Equal(NoFileHandle, session.Run(new Op4(Deallocate, new XdrBytes().Raw(open).U64(0).U64(1).ToArray())).Status);
        session.MinorVersion = 1;
        foreach (uint operation in (uint[])[Allocate, Deallocate, Seek, GetXattr, SetXattr, ListXattrs, RemoveXattr])
            Assert.Equal(OpIllegal, session.Run(Op4.PutFh(handle), new Op4(operation, new byte[64])).Status);

        uint Storage(uint operation, byte[] stateid, ulong offset, ulong length) =>
            session.Run(Op4.PutFh(handle), new Op4(operation, new XdrBytes().Raw(stateid).U64(offset).U64(length).ToArray())).Status;

        (uint Status, bool IsEnd, ulong Found) SeekFrom(ulong offset, uint what)
        {
            Reply4 reply = session.Run(Op4.PutFh(handle), new Op4(Seek, new XdrBytes().Raw(open).U64(offset).U32(what).ToArray())).Skip(Op4.PutFh([]));
            uint status = reply.Next(Seek);
            return status == 0 ? (status, reply.Body.Bool(), reply.Body.U64()) : (status, false, 0);
        }
    }

    [Fact]
    public void Extended_attributes_are_set_read_listed_and_removed_through_4_2()
    {
        const uint either = 0, create = 1, replace = 2;
        using var session = new Nfs41Client(_served.Server.EndPoints[0], "session") { MinorVersion = 2 };
        (byte[] handle, _, _) = session.MustOpen(_root, "file");
        if (Set("probe", "x", either) == NotSupp)
            return; // this file system has none
        Assert.Equal(0u, Change(RemoveXattr, Op4.Text("probe")));
        Assert.Equal(NoXattr, Set("one", "1", replace));
        Assert.Equal(0u, Set("one", "1", create));
        Assert.Equal(Exist, Set("one", "1", create));
        Assert.Equal(0u, Set("one", "uno", replace));
        Assert.Equal(0u, Set("two", "", either));
        Assert.Equal(BadXdr, Set("two", "", 3));

        Assert.Equal((0u, "uno"), Get("one"));
        Assert.Equal((0u, ""), Get("two"));
        Assert.Equal(NoXattr, Get("three").Status);

        (uint status, ulong cookie, string[] names, bool isEnd) = List(0, 4096);
        Assert.Equal((0u, true), (status, isEnd));
        Assert.Equal(["one", "two"], names.Order());
        // One by one: a reply takes a cookie, a count, a name of three letters and whether that was all.
        (status, cookie, names, isEnd) = List(0, 8 + 4 + 8 + 4);
        Assert.Equal((0u, 1, false), (status, names.Length, isEnd));
        (status, _, string[] rest, isEnd) = List(cookie, 8 + 4 + 8 + 4);
        Assert.Equal((0u, true), (status, isEnd));
        Assert.Equal(["one", "two"], names.Concat(rest).Order());
        Assert.Equal(TooSmall, List(0, 8).Status);

        Assert.Equal(0u, Change(RemoveXattr, Op4.Text("one")));
        Assert.Equal(NoXattr, Change(RemoveXattr, Op4.Text("one")));
        Assert.Equal(NoXattr, Get("one").Status);
        Assert.Equal(NoFileHandle, session.Run(new Op4(GetXattr, Op4.Text("two"))).Status);

        uint Set(string name, string value, uint how) => Change(SetXattr, [.. Op4.U32(how), .. Op4.Text(name), .. Op4.Text(value)]);

        // What changes a file tells its change attribute before and after.
        uint Change(uint operation, byte[] arguments)
        {
            Reply4 reply = session.Run(Op4.PutFh(handle), new Op4(operation, arguments)).Skip(Op4.PutFh([]));
            uint status = reply.Next(operation);
            if (status == 0)
            {
                reply.Body.Bool();
                Assert.NotEqual(reply.Body.U64(), reply.Body.U64());
            }
            reply.Body.End();
            return status;
        }

        (uint Status, string Value) Get(string name)
        {
            Reply4 reply = session.Run(Op4.PutFh(handle), new Op4(GetXattr, Op4.Text(name))).Skip(Op4.PutFh([]));
            uint status = reply.Next(GetXattr);
            return (status, status == 0 ? Encoding.ASCII.GetString(reply.Body.Opaque()) : "");
        }

        (uint Status, ulong Cookie, string[] Names, bool IsEnd) List(ulong from, uint most)
        {
            Reply4 reply = session.Run(Op4.PutFh(handle), new Op4(ListXattrs, new XdrBytes().U64(from).U32(most).ToArray())).Skip(Op4.PutFh([]));
            uint status = reply.Next(ListXattrs);
            if (status != 0)
                return (status, 0, [], false);
            ulong cookie = reply.Body.U64();
            var names = new string[reply.Body.U32()];
            for (int i = 0; i < names.Length; i++)
                names[i] = Encoding.ASCII.GetString(reply.Body.Opaque());
            bool isEnd = reply.Body.Bool();
            reply.Body.End();
            return (status, cookie, names, isEnd);
        }
    }

    /// <summary>LOCK4denied: the lock of the fixture's client.</summary>
    private void AssertDenied(Reply4 reply)
    {
        Assert.Equal(Denied, reply.Status);
        Assert.Equal((10ul, 20ul, Nfs40Client.WriteLock), (reply.Body.U64(), reply.Body.U64(), reply.Body.U32()));
        Assert.Equal((_client.ClientId, "l"), (reply.Body.U64(), Encoding.ASCII.GetString(reply.Body.Opaque())));
        reply.Body.End();
    }

    private static uint Write(Nfs4Client wire, byte[] handle, byte[] stateid) =>
        wire.Run(Op4.PutFh(handle), new Op4(38, new XdrBytes().Raw(stateid).U64(0).U32(2).Opaque("data"u8).ToArray())).Status;
}
