using System.Buffers.Binary;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.Tests.State;

/// <summary>Clients of 4.1, their sessions, and that each request is done once: RFC 8881 sections 2.10 and 18.35 to 18.37.</summary>
public sealed class SessionTests
{
    private const int SequenceSize = 44;

    [Fact]
    public async Task EXCHANGE_ID_answers_by_its_table()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        var other = new Principal(SunRpc.RpcAuthFlavor.Sys, 1, 1);
        Assert.Equal(Nfsstat4.NoEnt, world.State.ExchangeId(StateWorld.Name("a"), 1, StateWorld.Root, update: true, out _));
        NfsClient client = world.Client41("a");
        Assert.Equal(Nfsstat4.Ok, world.State.ExchangeId(StateWorld.Name("a"), 1, StateWorld.Root, update: false, out NfsClient? again));
        Assert.Same(client, again);
        Assert.Equal(Nfsstat4.Ok, world.State.ExchangeId(StateWorld.Name("a"), 1, StateWorld.Root, update: true, out again));
        Assert.Same(client, again);
        Assert.Equal(Nfsstat4.NotSame, world.State.ExchangeId(StateWorld.Name("a"), 2, StateWorld.Root, update: true, out _));
        Assert.Equal(Nfsstat4.Perm, world.State.ExchangeId(StateWorld.Name("a"), 1, other, update: true, out _));
        Assert.Equal(Nfsstat4.ClidInUse, world.State.ExchangeId(StateWorld.Name("a"), 1, other, update: false, out _));
        // Another life: the first stays until this one confirms.
        Assert.Equal(Nfsstat4.Ok, world.State.ExchangeId(StateWorld.Name("a"), 2, StateWorld.Root, update: false, out NfsClient? reborn));
        Assert.NotEqual(client.Id, reborn!.Id);
        Assert.Equal(1, world.State.SessionCount);
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(reborn.Id, 1, out _, out _));
        Assert.True(client.IsGone);
        Assert.Equal(1, world.State.SessionCount);
    }

    [Fact]
    public async Task CREATE_SESSION_sent_again_is_answered_as_before()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        world.State.ExchangeId(StateWorld.Name("a"), 1, StateWorld.Root, update: false, out NfsClient? client);
        Assert.Equal(Nfsstat4.SeqMisordered, world.CreateSession(client!.Id, 5, out _, out _));
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client.Id, 1, out CreatedSession? first, out Session? session));
        Assert.NotNull(session);
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client.Id, 1, out CreatedSession? again, out session));
        Assert.Null(session);
        Assert.Same(first, again);
        Assert.Equal(Nfsstat4.Ok, world.CreateSession(client.Id, 2, out CreatedSession? second, out _));
        Assert.NotEqual(first!.Id, second!.Id);
        Assert.Equal(Nfsstat4.StaleClientid, world.CreateSession(client.Id + 99, 1, out _, out _));
    }

    [Fact]
    public async Task A_client_that_has_sessions_or_files_is_not_destroyed()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client41("a");
        Assert.Equal(Nfsstat4.ClientidBusy, world.State.DestroyClientId(client.Id));
        Assert.Equal(Nfsstat4.Ok, world.State.DestroySession(client.Sessions[0].Id, isOwn: false));
        Assert.Equal(Nfsstat4.Ok, world.State.DestroyClientId(client.Id));
        Assert.Equal(Nfsstat4.StaleClientid, world.State.DestroyClientId(client.Id));
        Assert.Equal("remove", world.Tracking.Calls[^1]);
    }

    [Fact]
    public async Task A_request_sent_again_is_answered_from_the_slot()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        SessionSlot slot = Slot(world);
        byte[] reply = Reply(100);
        Assert.Equal(Nfsstat4.Ok, Begin(slot, 1, true, 17, out ReadOnlyMemory<byte>? replay));
        Assert.Null(replay);
        Assert.Equal(Nfsstat4.Delay, Begin(slot, 1, true, 17, out _)); // it runs still
        Assert.Equal(Nfsstat4.SeqMisordered, Begin(slot, 2, true, 17, out _));
        slot.End(null!, reply);
        Assert.Equal(Nfsstat4.Ok, Begin(slot, 1, true, 17, out replay));
        Assert.Equal(reply, replay!.Value.ToArray());
        Assert.Equal(Nfsstat4.SeqFalseRetry, Begin(slot, 1, true, 18, out _)); // the number of an old request, but another
        Assert.Equal(Nfsstat4.SeqMisordered, Begin(slot, 3, true, 17, out _));
        Assert.Equal(Nfsstat4.SeqMisordered, Begin(slot, 0, true, 17, out _));
        Assert.Equal(Nfsstat4.Ok, Begin(slot, 2, true, 17, out replay));
        Assert.Null(replay);
    }

    [Fact]
    public async Task What_was_not_to_be_kept_is_refused_when_it_is_sent_again()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        SessionSlot slot = Slot(world);
        Begin(slot, 1, false, 17, out _);
        slot.End(null!, Reply(100));
        Assert.Equal(Nfsstat4.Ok, Begin(slot, 1, false, 17, out ReadOnlyMemory<byte>? replay));
        byte[] answer = replay!.Value.ToArray();
        Assert.Equal((int)Nfsstat4.RetryUncachedRep, BinaryPrimitives.ReadInt32BigEndian(answer));
        Assert.Equal(2, BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(8))); // SEQUENCE, and the refusal of what came behind it
        Assert.Equal((int)Nfsstat4.RetryUncachedRep, BinaryPrimitives.ReadInt32BigEndian(answer.AsSpan(answer.Length - 4)));
    }

    private static SessionSlot Slot(StateWorld world) => world.Client41("a").Sessions[0].Slots[0];

    private static Nfsstat4 Begin(SessionSlot slot, uint seqid, bool cacheThis, ulong request, out ReadOnlyMemory<byte>? replay)
    {
        Nfsstat4 status = slot.Begin(seqid, cacheThis, StateWorld.Root, request, 2, (uint)NfsOpnum4.PutRootFh, out replay);
        if (status == Nfsstat4.Ok && replay is null)
            slot.Session.Client.Enter(0);
        return status;
    }

    /// <summary>A reply without tag: SEQUENCE's result, and more.</summary>
    private static byte[] Reply(int more)
    {
        byte[] reply = new byte[12 + SequenceSize + more];
        reply[11] = 2;
        Array.Fill(reply, (byte)0xab, 12, reply.Length - 12);
        return reply;
    }
}
