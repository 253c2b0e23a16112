using Kworker.Lockd.Locks;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.Tests.State;

/// <summary>Who gets what back after a restart, and who does not: RFC 7530 section 9.6, RFC 8881 section 8.4.</summary>
public sealed class ReclaimTests
{
    private const ulong Data = 7;
    private static readonly LockRange s_range = new(0, 9);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task What_a_client_held_it_gets_back_and_nobody_else_gets_it_meanwhile(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = Make(world, minor, "a");
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, world.Open(client, "o", Data), "l", Data, s_range, out _));
        await world.RestartAsync();
        Assert.True(world.State.IsInGrace);
        Assert.Equal(world.State.GraceLength, world.State.GraceLeft);

        NfsClient rival = world.Client41("rival");
        Assert.Equal(Nfsstat4.Grace, world.Open(rival, "o", Data, ShareAccess.Both, out _));
        client = Make(world, minor, "a", isComplete: false);
        Assert.Equal(Nfsstat4.Ok, world.Open(client, "o", Data, ShareAccess.Both, out Stateid4 open, isReclaim: true));
        Assert.Equal(Nfsstat4.Grace, world.Lock(client, open, "l", Data, s_range, out _));
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, open, "l", Data, s_range, out _, isReclaim: true));

        await world.PassAsync(StateWorld.Lease);
        Assert.False(world.State.IsInGrace);
        Assert.Null(world.State.GraceLeft);
        Assert.Equal(Nfsstat4.NoGrace, world.Open(client, "o2", Data, ShareAccess.Both, out _, isReclaim: true));
        rival = world.Client41("another");
        world.State.Find(client.Id, out _);
        Assert.Equal(Nfsstat4.Denied, world.Lock(rival, world.Open(rival, "o", Data), "l", Data, s_range, out _));
    }

    [Fact]
    public async Task Who_was_never_here_reclaims_nothing()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.Open(world.Client40("a"), "o", Data);
        await world.RestartAsync();
        NfsClient stranger = world.Client40("stranger");
        Assert.Equal(Nfsstat4.NoGrace, world.Open(stranger, "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    [Fact]
    public async Task With_nobody_in_the_record_there_is_no_grace()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        Assert.False(world.State.IsInGrace);
        world.Client40("a"); // opens nothing
        await world.RestartAsync();
        Assert.False(world.State.IsInGrace);
        Assert.Equal(Nfsstat4.NoGrace, world.Open(world.Client40("a"), "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    [Fact]
    public async Task Grace_ends_at_once_when_all_have_reclaimed()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.Open(world.Client41("a"), "o", Data);
        await world.RestartAsync();
        Assert.True(world.State.IsInGrace);
        world.Client41("a");
        world.Tracking.AllReclaimed!();
        await world.State.Queue.FlushAsync();
        Assert.False(world.State.IsInGrace);
        Assert.Equal("gracedone", world.Tracking.Calls[^1]);
    }

    [Fact]
    public async Task After_RECLAIM_COMPLETE_nothing_is_reclaimed_and_before_it_nothing_new_opened()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a", isComplete: false);
        Assert.Equal(Nfsstat4.Grace, world.Open(client, "o", Data, ShareAccess.Read, out _));
        Assert.Equal(Nfsstat4.Ok, world.State.CompleteReclaim(client, ofOneFileSystem: false));
        Assert.Equal(Nfsstat4.CompleteAlready, world.State.CompleteReclaim(client, ofOneFileSystem: false));
        world.Open(client, "o", Data);
        await world.RestartAsync();
        client = world.Client41("a");
        Assert.Equal(Nfsstat4.NoGrace, world.Open(client, "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    // RFC 7530 section 9.6.3.4, the first edge: the server restarts twice, and the client is cut off from before the first until after the second.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_lock_that_another_had_between_two_restarts_is_not_reclaimed(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient cutOff = Make(world, minor, "a");
        Assert.Equal(Nfsstat4.Ok, world.Lock(cutOff, world.Open(cutOff, "o", Data), "l", Data, s_range, out _));
        await world.RestartAsync();
        await world.PassAsync(StateWorld.Lease); // it does not come back
        NfsClient other = Make(world, minor, "b");
        Stateid4 open = world.Open(other, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(other, open, "l", Data, s_range, out _));
        Assert.Equal(Nfsstat4.Ok, world.Close(other, open, Data));
        await world.RestartAsync();
        Assert.True(world.State.IsInGrace);
        cutOff = Make(world, minor, "a", isComplete: false);
        Assert.Equal(Nfsstat4.NoGrace, world.Open(cutOff, "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    // The second: its lease runs out while it is cut off, another has the lock meanwhile, then the server restarts.
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_lock_that_was_taken_from_a_silent_client_is_not_reclaimed(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient silent = Make(world, minor, "a");
        Assert.Equal(Nfsstat4.Ok, world.Lock(silent, world.Open(silent, "o", Data), "l", Data, s_range, out _));
        await world.PassAsync(StateWorld.Lease * 1.1);
        NfsClient other = Make(world, minor, "b");
        Stateid4 open = world.Open(other, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(other, open, "l", Data, s_range, out _));
        Assert.Equal(Nfsstat4.Ok, world.Close(other, open, Data));
        await world.RestartAsync();
        silent = Make(world, minor, "a", isComplete: false);
        Assert.Equal(Nfsstat4.NoGrace, world.Open(silent, "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    [Fact]
    public async Task A_second_restart_within_grace_forgets_nobody()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.Open(world.Client40("a"), "o", Data);
        await world.RestartAsync();
        await world.PassAsync(StateWorld.Lease / 2);
        await world.RestartAsync();
        Assert.Equal(Nfsstat4.Ok, world.Open(world.Client40("a"), "o", Data, ShareAccess.Both, out _, isReclaim: true));
    }

    private static NfsClient Make(StateWorld world, int minor, string name, bool isComplete = true) =>
        minor == 0 ? world.Client40(name) : world.Client41(name, isComplete: isComplete);
}
