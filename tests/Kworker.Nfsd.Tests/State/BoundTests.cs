using Kworker.Lockd.Locks;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.Tests.State;

/// <summary>What clients can cost: a fact for each of <see cref="NfsStateOptions"/>' bounds. What is refused can be had when something else was given back.</summary>
public sealed class BoundTests
{
    private const ulong Data = 7;

    [Fact]
    public async Task Clients()
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions { Lease = StateWorld.Lease, System = system, MaximumClients = 2 });
        NfsClient first = world.Client40("a"), second = world.Client41("b");
        world.Open(first, "o", Data);
        world.State.SetClientId(StateWorld.Name("c"), 1, StateWorld.Root, new CallbackAddress(0, "tcp", "", 0), out NfsClient? third);
        world.State.ExchangeId(StateWorld.Name("d"), 1, StateWorld.Root, update: false, out NfsClient? fourth);
        Assert.Equal(Nfsstat4.Resource, world.State.ConfirmClientId(third!.Id, third.ConfirmVerifier, StateWorld.Root));
        Assert.Equal(Nfsstat4.Delay, world.CreateSession(fourth!.Id, 1, out _, out _));
        Assert.Equal(2, world.State.ClientCount);

        // One that is silent makes room, whatever it holds, and the other does not; he who was told to come again does so by the same number.
        world.Time.Advance(StateWorld.Lease * 0.9);
        second.Renew(world.State.Now);
        world.State.ExchangeId(StateWorld.Name("e"), 1, StateWorld.Root, update: false, out NfsClient? fifth);
        world.Time.Advance(StateWorld.Lease * 0.2);
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(fifth!.Id, 1, out _, out _));
        Assert.True(first.IsGone);
        Assert.False(second.IsGone);
        Assert.Equal(2, world.State.ClientCount);
    }

    [Fact]
    public async Task Sessions()
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions { System = system, MaximumSessions = 2 });
        NfsClient client = world.Client41("a");
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client.Id, 2, out CreatedSession? second, out _));
        Assert.Equal(Nfsstat4.Delay, world.CreateSession(client.Id, 3, out _, out Session? session));
        Assert.Null(session);
        Assert.Equal(Nfsstat4.Delay, world.CreateSession(client.Id, 3, out _, out _)); // again, by the same number: not what the last one was answered
        Assert.Equal(2, world.State.SessionCount);
        Assert.Equal(Nfsstat4.Ok, world.State.DestroySession(second!.Id, isOwn: false));
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client.Id, 3, out CreatedSession? third, out session));
        Assert.Equal((session!.Id, 3u), (third!.Id, third.Sequence));
        Assert.Equal(2, world.State.SessionCount);
    }

    [Fact]
    public async Task What_a_session_may_ask_for()
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions
        {
            System = system,
            MaximumSlots = 3,
            MaximumOperations = 5,
            MaximumMessage = 4000,
            MaximumCachedReply = 300,
        });
        Assert.Equal(Nfsstat4.Ok, world.State.ExchangeId(StateWorld.Name("a"), 1, StateWorld.Root, update: false, out NfsClient? client));
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client!.Id, 1, out CreatedSession? created, out Session? session));
        Assert.Equal(new ChannelLimits(0, 4000, 4000, 300, 5, 3), created!.Fore);
        Assert.Equal(created.Fore, session!.Fore);
        Assert.Equal(3, session.Slots.Length);
    }

    [Fact]
    public async Task What_cannot_be_granted_to_anybody_uses_up_no_number_of_CREATE_SESSION()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a");
        ChannelLimits none = StateWorld.Channel with { MaxRequest = 10 };
        Assert.Equal(Nfsstat4.TooSmall, Create(2, none));
        Assert.Equal(Nfsstat4.TooSmall, Create(2, none)); // no retry that is answered from memory
        Assert.Equal(Nfsstat4.Ok, Create(2, StateWorld.Channel));
        Assert.Equal(Nfsstat4.Ok, Create(2, StateWorld.Channel)); // a retry
        Assert.Equal(2, world.State.SessionCount);

        Nfsstat4 Create(uint sequence, ChannelLimits fore) => world.State.CreateSession(
            client.Id, sequence, 0, fore, StateWorld.Channel, 0, SunRpc.RpcCredential.None, StateWorld.Root, out _, out _);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task States(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions { System = system, MaximumStates = 2 });
        Nfsstat4 due = minor == 0 ? Nfsstat4.Resource : Nfsstat4.Delay;
        NfsClient client = Make(world, minor, "a");
        Stateid4 first = world.Open(client, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, first, "l", Data, LockRange.All, out _));
        Assert.Equal(due, world.Open(client, "o", Data + 1, ShareAccess.Read, out _));
        Assert.Equal(due, world.Lock(client, first, "other", Data, LockRange.All, out _));
        Assert.Equal((2, 1), (world.State.StateCount, world.State.FileCount));
        Assert.Equal(Nfsstat4.Ok, world.Open(client, "o", Data, ShareAccess.Read, out first)); // no other one
        world.Open(Make(world, minor, "b"), "o", Data); // each client by itself
        Assert.Equal(Nfsstat4.Ok, world.Close(client, first, Data));
        world.Open(client, "p", Data + 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Owners(int minor)
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions { System = system, MaximumOwners = 2 });
        Nfsstat4 due = minor == 0 ? Nfsstat4.Resource : Nfsstat4.Delay;
        NfsClient client = Make(world, minor, "a");
        Stateid4 first = world.Open(client, "o", Data);
        world.Open(client, "p", Data);
        Assert.Equal(due, world.Open(client, "q", Data, ShareAccess.Read, out _));
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, first, "l", Data, new LockRange(0, 9), out _));
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, first, "m", Data, new LockRange(10, 19), out _));
        Assert.Equal(due, world.Lock(client, first, "n", Data, new LockRange(20, 29), out _));
        Assert.Equal(2, client.OpenOwners.Count);
        Assert.Equal(2, client.LockOwners.Count);
        world.Open(Make(world, minor, "b"), "q", Data);
    }

    [Fact]
    public async Task Notices()
    {
        await using StateWorld world = await StateWorld.StartAsync(options: static system => new NfsStateOptions { System = system, MaximumNotices = 2 });
        NfsClient holder = world.Client41("holder"), waiter = world.Client41("waiter");
        Assert.Equal(Nfsstat4.Ok, world.Lock(holder, world.Open(holder, "o", Data), "l", Data, LockRange.All, out _));
        Stateid4 open = world.Open(waiter, "o", Data);
        Assert.Equal(Nfsstat4.Ok, world.Find(waiter, open, out OpenState? state));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(Nfsstat4.Ok, world.State.IntroduceLockOwner(state!, open.Seqid, world.File(Data), StateWorld.Name($"l{i}"), 0, out LockState? locks, out _));
            Assert.True(world.State.NotifyWhenFree(waiter.Sessions[0], locks!, default, LockKind.Write, LockRange.All));
        }
        Assert.Equal(2, world.State.NoticeCount);
        Assert.Equal(["l0", "l1"], waiter.Notices.Keys.Select(static key => System.Text.Encoding.ASCII.GetString(key.Owner.Bytes.Span)).Order());
    }

    private static NfsClient Make(StateWorld world, int minor, string name) => minor == 0 ? world.Client40(name) : world.Client41(name);
}
