using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.Tests.State;

/// <summary>What a stateid allows: RFC 7530 section 9.1.4, RFC 8881 section 8.2.</summary>
public sealed class StateidTests
{
    private const ulong Data = 7;
    private const ulong Other = 8;

    [Fact]
    public async Task Old_ones_ones_from_the_future_and_those_of_another_file_are_told_apart()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Stateid4 first = world.Open(client, "o", Data, ShareAccess.Read);
        Stateid4 second = world.Open(client, "o", Data, ShareAccess.Write);
        Assert.True(first.HasSameOther(second));
        Assert.Equal(Nfsstat4.OldStateid, world.Check(client, first, Data));
        Assert.Equal(Nfsstat4.Ok, world.Check(client, second, Data));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(client, second with { Seqid = 9 }, Data));
        Assert.Equal(Nfsstat4.OldStateid, world.Check(client, second with { Seqid = 0 }, Data));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(client, second, Other));
    }

    [Fact]
    public async Task In_a_session_seqid_0_is_the_latest()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a");
        world.Open(client, "o", Data, ShareAccess.Read);
        Stateid4 second = world.Open(client, "o", Data, ShareAccess.Write);
        Assert.Equal(Nfsstat4.Ok, world.Check(client, second with { Seqid = 0 }, Data));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(world.Client41("b"), second, Data));
    }

    [Fact]
    public async Task One_of_an_earlier_start_is_stale_in_4_0_and_bad_in_4_1()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        Stateid4 before = world.Open(world.Client40("a"), "o", Data);
        await world.RestartAsync();
        Assert.Equal(Nfsstat4.StaleStateid, world.Check(world.Client40("b"), before, Data));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(world.Client41("c"), before, Data));
        Assert.Equal(Nfsstat4.StaleClientid, world.State.Renew(before.OtherHigh));
    }

    [Fact]
    public async Task Who_has_not_opened_for_writing_does_not_write()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Stateid4 open = world.Open(client, "o", Data, ShareAccess.Read);
        Assert.Equal(Nfsstat4.Ok, world.Check(client, open, Data, ShareAccess.Read));
        Assert.Equal(Nfsstat4.OpenMode, world.Check(client, open, Data, ShareAccess.Write));
    }

    [Fact]
    public async Task Without_an_open_one_respects_what_others_deny()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        world.Open(client, "o", Data, ShareAccess.Read, ShareAccess.Write);
        Assert.Equal(Nfsstat4.Ok, world.Check(client, Stateid4.Anonymous, Data, ShareAccess.Read));
        Assert.Equal(Nfsstat4.Locked, world.Check(client, Stateid4.Anonymous, Data, ShareAccess.Write));
        Assert.Equal(Nfsstat4.Locked, world.Check(client, Stateid4.ReadBypass, Data, ShareAccess.Write));
        Assert.Equal(Nfsstat4.Ok, world.Check(client, Stateid4.Anonymous, Other, ShareAccess.Write));
    }

    [Fact]
    public async Task A_check_costs_no_allocation()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a");
        Stateid4 open = world.Open(client, "o", Data);
        FileKey file = world.File(Data);
        for (int i = 0; i < 1000; i++)
            world.State.CheckIo(client, open, file, ShareAccess.Write);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            world.State.CheckIo(client, open, file, ShareAccess.Write);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public async Task Shares_that_exclude_each_other_are_refused_and_downgraded_ones_let_others_in()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        world.Open(client, "o", Data, ShareAccess.Read);
        Stateid4 stateid = world.Open(client, "o", Data, ShareAccess.Both);
        Assert.Equal(Nfsstat4.ShareDenied, world.Open(client, "p", Data, ShareAccess.Read, out _, ShareAccess.Write));
        Assert.Equal(Nfsstat4.Ok, world.Find(client, stateid, out OpenState? open));
        Assert.Equal(Nfsstat4.Inval, NfsState.Downgrade(open!, stateid.Seqid, world.File(Data), ShareAccess.Write, ShareAccess.None, out _));
        Assert.Equal(Nfsstat4.Ok, NfsState.Downgrade(open!, stateid.Seqid, world.File(Data), ShareAccess.Read, ShareAccess.None, out _));
        Assert.Equal(Nfsstat4.Ok, world.Open(client, "p", Data, ShareAccess.Read, out _, ShareAccess.Write));
    }

    [Fact]
    public async Task What_is_closed_leaves_nothing_behind()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a");
        Stateid4 open = world.Open(client, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, open, "l", Data, Lockd.Locks.LockRange.All, out Stateid4 locks));
        Assert.Equal(Nfsstat4.LocksHeld, world.State.Free(client, locks));
        Assert.Equal(Nfsstat4.Ok, world.Close(client, open, Data));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(client, open, Data));
        Assert.Equal(0, world.Locks.Count);
        Assert.Equal(0, world.State.StateCount);
        Assert.Equal(0, world.State.FileCount);
        Assert.Empty(client.OpenOwners);
        Assert.Empty(client.LockOwners);
    }
}
