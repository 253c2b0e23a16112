using Kworker.Lockd.Locks;
using Kworker.Nfsd.State;
using Kworker.Nfsd.V4;

namespace Kworker.Nfsd.Tests.State;

/// <summary>4.0: requests of an owner are numbered, and the last is answered again: RFC 7530 section 9.1.7.</summary>
public sealed class OwnerSequenceTests
{
    [Fact]
    public async Task The_first_number_is_the_clients_choice_and_the_next_must_follow()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Assert.Equal(Nfsstat4.Ok, Enter(world, client, 41, out OpenOwner owner, out SequenceVerdict verdict));
        Assert.Equal(SequenceVerdict.New, verdict);
        owner.IsConfirmed = true;
        Leave(owner, Nfsstat4.Ok, 1, 2, 3);

        Assert.Equal(Nfsstat4.Ok, Enter(world, client, 41, out OpenOwner again, out verdict));
        Assert.Same(owner, again);
        Assert.Equal(SequenceVerdict.Replay, verdict);
        Assert.Equal([1, 2, 3], owner.Sequence.Reply.ToArray());
        owner.Sequence.Exit();

        Assert.Equal(Nfsstat4.BadSeqid, Enter(world, client, 40, out _, out _));
        Assert.Equal(Nfsstat4.BadSeqid, Enter(world, client, 43, out _, out _));
        Assert.Equal(Nfsstat4.Ok, Enter(world, client, 42, out _, out verdict));
        Assert.Equal(SequenceVerdict.New, verdict);
        owner.Sequence.Exit();
    }

    [Fact]
    public async Task A_refusal_counts_unless_it_says_that_nothing_was_understood()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Enter(world, client, 1, out OpenOwner owner, out _);
        owner.IsConfirmed = true;
        Leave(owner, Nfsstat4.BadStateid);
        Assert.Equal(1u, owner.Sequence.Next);
        owner.Sequence.Enter();
        Leave(owner, Nfsstat4.Access);
        Assert.Equal(2u, owner.Sequence.Next);
        Assert.Equal(Nfsstat4.Access, owner.Sequence.Status);
    }

    [Fact]
    public async Task An_owner_that_never_confirmed_begins_anew_with_any_number()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Enter(world, client, 1, out OpenOwner owner, out _);
        Leave(owner, Nfsstat4.Ok);
        Assert.Equal(Nfsstat4.Ok, Enter(world, client, 77, out OpenOwner anew, out SequenceVerdict verdict));
        Assert.NotSame(owner, anew);
        Assert.True(owner.IsGone);
        Assert.Equal(SequenceVerdict.New, verdict);
        anew.Sequence.Exit();
    }

    [Fact]
    public async Task A_closed_open_is_found_by_a_retry_of_its_CLOSE_and_by_nothing_else()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient client = world.Client40("a");
        Stateid4 open = world.Open(client, "o", 7);
        Assert.Equal(Nfsstat4.Ok, world.Close(client, open, 7));
        Assert.Equal(Nfsstat4.BadStateid, world.Check(client, open with { Seqid = 2 }, 7));
        Assert.Equal(Nfsstat4.Ok, world.State.Find(null, open, out StateObject? closed, orClosed: true));
        Assert.Equal(StateStatus.Closed, closed!.Status);
        await world.PassAsync(StateWorld.Lease / 2);
        client.Renew(world.State.Now);
        await world.PassAsync(StateWorld.Lease * 0.7);
        Assert.Equal(Nfsstat4.BadStateid, world.State.Find(null, open, out _, orClosed: true));
        Assert.Empty(client.OpenOwners);
    }

    [Fact]
    public async Task A_lock_owner_that_was_refused_its_first_lock_numbers_anew()
    {
        await using StateWorld world = await StateWorld.StartAsync();
        NfsClient holder = world.Client40("a");
        NfsClient client = world.Client40("b");
        Assert.Equal(Nfsstat4.Ok, world.Lock(holder, world.Open(holder, "o", 7), "l", 7, LockRange.All, out _));
        Stateid4 open = world.Open(client, "o", 7);
        Assert.Equal(Nfsstat4.Denied, world.Lock(client, open, "l", 7, LockRange.All, out _));
        Assert.Empty(client.LockOwners);
        Stateid4 other = world.Open(client, "o", 8);
        Assert.Equal(Nfsstat4.Ok, world.Lock(client, other, "l", 8, LockRange.All, out _));
    }

    private static Nfsstat4 Enter(StateWorld world, NfsClient client, uint seqid, out OpenOwner owner, out SequenceVerdict verdict)
    {
        Nfsstat4 status = world.State.EnterOpenOwner(client, StateWorld.Name("o"), seqid, out OpenOwner? found, out verdict);
        owner = found!;
        return status;
    }

    private static void Leave(OpenOwner owner, Nfsstat4 status, params byte[] reply)
    {
        owner.Sequence.Complete(status, reply, null);
        owner.Sequence.Exit();
    }
}
