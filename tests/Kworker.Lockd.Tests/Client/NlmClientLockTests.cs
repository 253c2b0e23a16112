using System.Net;
using System.Text;
using Kworker.Lockd.Client;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;

namespace Kworker.Lockd.Tests.Client;

/// <summary>Taking, waiting for and giving up locks, against a server that answers what the test says.</summary>
public sealed class NlmClientLockTests
{
    [Fact]
    public async Task A_lock_is_taken_after_the_server_is_monitored_and_given_up()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        await using NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 10);
        Assert.Equal(["server@127.0.0.1"], world.Nsm.Monitored);
        Assert.Equal(new LockRange(0, 9), Assert.Single(owner.Held).Range);
        Task unlocking = owner.UnlockAsync(new LockRange(0, 9)).AsTask();
        await world.Server.AnswerAsync("UNLOCK a 0+10", Nlm4Stats.Granted);
        await unlocking;
        Assert.Empty(owner.Held);
    }

    [Fact]
    public async Task A_server_that_cannot_be_monitored_is_not_asked()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        world.Nsm.Works = false;
        await using NlmClientOwner owner = world.Open();
        Assert.Equal(Nlm4Stats.DeniedNoLocks, await owner.LockAsync(LockKind.Write, LockRange.All, wait: false));
        Assert.False(world.Server.HasMore);
    }

    [Fact]
    public async Task Closing_gives_up_what_is_held_and_the_last_reference_ends_the_monitoring()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 5, 0);
        Task closing = owner.DisposeAsync().AsTask();
        await world.Server.AnswerAsync("UNLOCK a 0+0", Nlm4Stats.Granted);
        await closing;
        world.Client.Release(world.Host);
        await world.Client.DisposeAsync();
        Assert.Empty(world.Nsm.Monitored);
    }

    [Fact]
    public async Task Granted_ends_the_wait()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        ScriptedServer.Call call = await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        Assert.Equal(Nlm4Stats.Granted, await world.GrantAsync(call.Asked));
        Assert.Equal(Nlm4Stats.Granted, await locking);
        Assert.Single(owner.Held);
        // Nobody waits for it any more.
        Assert.Equal(Nlm4Stats.Denied, await world.GrantAsync(call.Asked));
    }

    [Fact]
    public async Task Granted_may_overtake_the_answer()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Read, LockRange.All, wait: true).AsTask();
        ScriptedServer.Call call = await world.Server.NextAsync("LOCK a 0+0 r block");
        // As Linux writes "to the end".
        Assert.Equal(Nlm4Stats.Granted, await world.GrantAsync(call.Asked with { Length = long.MaxValue + 1ul }, exclusive: false));
        call.Answer(Nlm4Stats.Blocked);
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Fact]
    public async Task Granted_by_message_is_answered_by_a_call()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        ScriptedServer.Call call = await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        await using var rpc = new RpcClient(world.Client.EndPoints[0], RpcTransport.Tcp);
        await rpc.CallAsync<Nlm4TestArgs, XdrVoid>(
            NlmProtocol.Program, 4, (uint)NlmProcedure.GrantedMsg, new Nlm4TestArgs(new byte[] { 1, 2 }, true, call.Asked));
        await world.Server.NextAsync("GRANTED_RES 0102 Granted");
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Theory]
    [InlineData("127.0.0.9", "a")] // a stranger who knows what is waited for
    [InlineData("127.0.0.1", "another")] // the server itself, about something else
    public async Task Arguments_with_any_bytes_changed_are_answered_or_refused_and_grant_nothing(string from, string file)
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 50, 10);
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        ScriptedServer.Call call = await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        byte[] message = HostileCalls.Encode(new Nlm4TestArgs(new byte[] { 9 }, true, call.Asked with { Fh = Encoding.UTF8.GetBytes(file) }));
        await using (var rpc = new RpcClient(
            world.Client.EndPoints[0], RpcTransport.Tcp, new RpcClientOptions { IsSoft = true, LocalAddress = IPAddress.Parse(from) }))
        {
            long before = 0;
            int calls = 0;
            foreach ((uint procedure, HostileCalls.Raw arguments) in HostileCalls.From([message], (uint)NlmProcedure.Granted, (uint)NlmProcedure.GrantedMsg, 600))
            {
                await rpc.TryAsync(NlmProtocol.Program, NlmProtocol.Version4, procedure, arguments);
                if (++calls == 200) // what it needs once is there by then
                    before = GC.GetTotalMemory(forceFullCollection: true);
            }
            Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20); // other tests run meanwhile
        }
        Assert.False(locking.IsCompleted);
        Assert.Equal(new LockRange(50, 59), Assert.Single(owner.Held).Range);
        Assert.Equal(Nlm4Stats.Granted, await world.GrantAsync(call.Asked));
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Theory]
    [InlineData("from another address")]
    [InlineData("another range")]
    [InlineData("another file")]
    [InlineData("another process")]
    [InlineData("another kind")]
    public async Task Granted_counts_only_for_what_waits_and_from_its_server(string what)
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        ScriptedServer.Call call = await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        Nlm4Lock forged = what switch
        {
            "another range" => call.Asked with { Length = 11 },
            "another file" => call.Asked with { Fh = "b"u8.ToArray() },
            "another process" => call.Asked with { Svid = call.Asked.Svid + 1 },
            _ => call.Asked,
        };
        Assert.Equal(
            Nlm4Stats.Denied,
            await world.GrantAsync(forged, exclusive: what != "another kind", from: what == "from another address" ? "127.0.0.2" : "127.0.0.1"));
        Assert.False(locking.IsCompleted);
        Assert.Equal(Nlm4Stats.Granted, await world.GrantAsync(call.Asked));
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Fact]
    public async Task What_is_waited_for_is_asked_for_again_in_case_granted_was_lost()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        await world.PassAsync(TimeSpan.FromSeconds(29));
        Assert.False(world.Server.HasMore);
        await world.PassAsync(TimeSpan.FromSeconds(1.1));
        await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Granted);
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Fact]
    public async Task Who_gives_up_waiting_cancels_and_keeps_what_was_held()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 2, 3, LockKind.Read);
        using var patience = new CancellationTokenSource();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true, patience.Token).AsTask();
        await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => locking);
        // It may have been granted in that moment: then this makes it what it was.
        await world.Server.AnswerAsync("CANCEL a 0+10", Nlm4Stats.Denied);
        await world.Server.AnswerAsync("UNLOCK a 0+2", Nlm4Stats.Granted);
        await world.Server.AnswerAsync("LOCK a 2+3 r", Nlm4Stats.Granted);
        // What the owner does next comes after all that.
        Task unlocking = owner.UnlockAsync(new LockRange(7, 7)).AsTask();
        await world.Server.AnswerAsync("UNLOCK a 5+5", Nlm4Stats.Granted);
        await world.Server.AnswerAsync("UNLOCK a 7+1", Nlm4Stats.Granted);
        await unlocking;
        Assert.Equal((LockKind.Read, new LockRange(2, 4)), (owner.Held[0].Kind, owner.Held[0].Range));
    }

    [Fact]
    public async Task A_new_lock_waits_for_the_end_of_grace()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: false).AsTask();
        await world.Server.AnswerAsync("LOCK a 0+10 w", Nlm4Stats.DeniedGracePeriod);
        await world.PassAsync(TimeSpan.FromSeconds(4));
        Assert.False(world.Server.HasMore);
        await world.PassAsync(TimeSpan.FromSeconds(1.1));
        await world.Server.AnswerAsync("LOCK a 0+10 w", Nlm4Stats.Granted);
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Theory]
    [InlineData((int)Nlm4Stats.Denied)]
    [InlineData((int)Nlm4Stats.Deadlock)]
    [InlineData((int)Nlm4Stats.StaleFh)]
    [InlineData((int)Nlm4Stats.DeniedNoLocks)]
    public async Task What_the_server_refuses_is_not_held(int refusal)
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        await world.Server.AnswerAsync("LOCK a 0+10 w block", (Nlm4Stats)refusal);
        Assert.Equal((Nlm4Stats)refusal, await locking);
        Assert.Empty(owner.Held);
    }

    [Fact]
    public async Task A_test_says_who_stands_in_the_way()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4TestReply> testing = owner.TestAsync(LockKind.Read, new LockRange(3, 3)).AsTask();
        await world.Server.AnswerAsync("TEST a 3+1 r", Nlm4Stats.Denied);
        Nlm4TestReply reply = await testing;
        Assert.Equal((Nlm4Stats.Denied, 4711, 5ul), (reply.Stat, reply.Holder.Svid, reply.Holder.Offset));
    }

    [Fact]
    public async Task Ranges_are_split_and_merged_as_posix_says()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 100);
        await world.HoldAsync(owner, "a", 40, 10, LockKind.Read);
        await world.HoldAsync(owner, "a", 100, 0);
        Task unlocking = owner.UnlockAsync(new LockRange(10, 19)).AsTask();
        await world.Server.AnswerAsync("UNLOCK a 10+10", Nlm4Stats.Granted);
        await unlocking;
        Assert.Equal(
            ["Write [0, 9]", "Write [20, 39]", "Read [40, 49]", "Write [50, end]"],
            owner.Held.Select(held => $"{held.Kind} {held.Range}"));
    }
}
