using System.Net;
using Kworker.Lockd.Client;
using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;

namespace Kworker.Lockd.Tests.Client;

/// <summary>What becomes of locks when their server restarts.</summary>
public sealed class ReclaimTests
{
    [Fact]
    public async Task Locks_are_reclaimed_in_the_order_of_granting_by_one_thread_with_the_servers_name()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner a = world.Open("a");
        NlmClientOwner b = world.Open("b");
        await world.HoldAsync(b, "b", 50, 1);
        await world.HoldAsync(a, "a", 0, 10, LockKind.Read);
        await world.HoldAsync(b, "b", 10, 1);
        world.Nsm.Reboot("server", 3);
        await world.Server.AnswerAsync("LOCK b 50+1 w reclaim", Nlm4Stats.Granted);
        await world.Server.AnswerAsync("LOCK a 0+10 r reclaim", Nlm4Stats.Granted);
        ScriptedServer.Call last = await world.Server.NextAsync("LOCK b 10+1 w reclaim");
        Assert.Equal("server-reclaim", world.Host.Reclaimer!.Name);
        Assert.False(world.Host.Reclaimer.HasExited);
        last.Answer(Nlm4Stats.Granted);
        Assert.Equal(0, await world.Host.Reclaimer.StopAsync());
        Assert.False(a.IsRefused);
        Assert.Equal(1, world.Threads);
    }

    [Fact]
    public async Task New_locks_wait_until_all_are_reclaimed()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 1);
        world.Nsm.Reboot("server", 3);
        ScriptedServer.Call reclaim = await world.Server.NextAsync("LOCK a 0+1 w reclaim");
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(5, 5), wait: false).AsTask();
        Task unlocking = owner.UnlockAsync(new LockRange(0, 0)).AsTask();
        Assert.False(world.Server.HasMore);
        reclaim.Answer(Nlm4Stats.Granted);
        ScriptedServer.Call one = await world.Server.NextAsync("LOCK a 5+1 w", "UNLOCK a 0+1");
        ScriptedServer.Call other = await world.Server.NextAsync("LOCK a 5+1 w", "UNLOCK a 0+1");
        Assert.NotEqual(one.Text, other.Text);
        one.Answer(Nlm4Stats.Granted);
        other.Answer(Nlm4Stats.Granted);
        Assert.Equal(Nlm4Stats.Granted, await locking);
        await unlocking;
        Assert.Equal(new LockRange(5, 5), Assert.Single(owner.Held).Range);
    }

    [Fact]
    public async Task A_second_notify_makes_the_one_reclaimer_start_over()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 1);
        await world.HoldAsync(owner, "a", 2, 1);
        world.Nsm.Reboot("server", 3);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.Granted);
        ScriptedServer.Call second = await world.Server.NextAsync("LOCK a 2+1 w reclaim");
        world.Nsm.Reboot("server", 5);
        world.Nsm.Reboot("server", 7);
        // A refusal of the life that is over loses nothing.
        second.Answer(Nlm4Stats.DeniedGracePeriod);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.Granted);
        await world.Server.AnswerAsync("LOCK a 2+1 w reclaim", Nlm4Stats.Granted);
        Assert.Equal(0, await world.Host.Reclaimer!.StopAsync());
        Assert.False(owner.IsRefused);
        Assert.Equal(1, world.Threads);
        // The next time there is another.
        world.Nsm.Reboot("server", 9);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.Granted);
        await world.Server.AnswerAsync("LOCK a 2+1 w reclaim", Nlm4Stats.Granted);
        Assert.Equal(0, await world.Host.Reclaimer!.StopAsync());
        Assert.Equal(2, world.Threads);
    }

    [Fact]
    public async Task A_lock_that_was_granted_before_the_reboot_but_not_yet_written_down_is_asked_for_again()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 0), wait: false).AsTask();
        ScriptedServer.Call call = await world.Server.NextAsync("LOCK a 0+1 w");
        world.Nsm.Reboot("server", 3);
        await world.Host.ReclaimedAsync(CancellationToken.None); // nothing to reclaim
        // It was cut off with its connection, or is answered only now: in any case it is asked for again, and not as a reclaim.
        call.Answer(Nlm4Stats.Granted);
        int asked = 0;
        Task<ScriptedServer.Call> next = world.Server.NextAsync("LOCK a 0+1 w");
        while (await Task.WhenAny(next, locking) == next)
        {
            asked++;
            (await next).Answer(Nlm4Stats.Granted);
            next = world.Server.NextAsync("LOCK a 0+1 w");
        }
        Assert.NotEqual(0, asked);
        Assert.Equal(Nlm4Stats.Granted, await locking);
        Assert.Single(owner.Held);
    }

    [Fact]
    public async Task What_is_waited_for_is_asked_for_again_after_the_reboot()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 9), wait: true).AsTask();
        await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Blocked);
        world.Nsm.Reboot("server", 3);
        await world.Server.AnswerAsync("LOCK a 0+10 w block", Nlm4Stats.Granted);
        Assert.Equal(Nlm4Stats.Granted, await locking);
    }

    [Theory]
    [InlineData((int)Nlm4Stats.Denied)]
    [InlineData((int)Nlm4Stats.DeniedGracePeriod)]
    public async Task A_lost_lock_is_reported_and_refuses_until_it_is_given_up(int refusal)
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        NlmClientOwner other = world.Open("b");
        await world.HoldAsync(owner, "a", 0, 1);
        await world.HoldAsync(other, "b", 0, 1);
        var reported = new Completion();
        NlmHeldLock? lost = null;
        owner.Lost += held =>
        {
            lost = held;
            reported.Complete();
        };
        world.Nsm.Reboot("server", 3);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", (Nlm4Stats)refusal);
        await world.Server.AnswerAsync("LOCK b 0+1 w reclaim", Nlm4Stats.Granted);
        await reported.WaitAsync();
        await world.Host.Reclaimer!.StopAsync();
        Assert.Equal(new LockRange(0, 0), lost!.Range);
        Assert.Contains($"lockd: failed to reclaim lock for pid {owner.Svid} on server: range [0, 0] ({(Nlm4Stats)refusal})", world.Log.Lines);
        Assert.True(owner.IsRefused);
        Assert.False(other.IsRefused);
        Task unlocking = owner.UnlockAsync(LockRange.All).AsTask();
        await world.Server.AnswerAsync("UNLOCK a 0+0", Nlm4Stats.Granted);
        await unlocking;
        Assert.False(owner.IsRefused);
    }

    [Fact]
    public async Task A_lost_lock_is_taken_anew_for_who_wants_that()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open(recovers: true);
        await world.HoldAsync(owner, "a", 0, 1);
        world.Nsm.Reboot("server", 3);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.DeniedGracePeriod);
        Assert.False(owner.IsRefused);
        await world.Server.AnswerAsync("LOCK a 0+1 w", Nlm4Stats.Granted);
        // Behind that.
        Task unlocking = owner.UnlockAsync(new LockRange(7, 7)).AsTask();
        await world.Server.AnswerAsync("UNLOCK a 7+1", Nlm4Stats.Granted);
        await unlocking;
        Assert.False(Assert.Single(owner.Held).IsLost);
        Assert.Contains(world.Log.Lines, line => line.Contains("taken anew", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_thread_that_cannot_be_made_is_said_as_the_kernel_says_it_and_the_locks_are_lost()
    {
        await using ClientWorld world = await ClientWorld.StartAsync(new InsufficientMemoryException("no thread"));
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 1);
        var reported = new Completion();
        owner.Lost += _ => reported.Complete();
        world.Nsm.Reboot("server", 3);
        Assert.Contains("lockd: unable to spawn reclaimer thread. Locks for server won't be reclaimed! (no thread)", world.Log.Lines);
        await reported.WaitAsync();
        Assert.True(owner.IsRefused);
        Assert.False(world.Host.IsReclaiming);
        // Nobody waits for a reclaimer that is not there; and the next reboot gets another chance.
        await world.HoldAsync(owner, "a", 0, 1);
        Assert.False(owner.IsRefused);
        world.ThreadFault = null;
        world.Nsm.Reboot("server", 5);
        await world.Server.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.Granted);
        Assert.Equal(0, await world.Host.Reclaimer!.StopAsync());
        Assert.False(owner.IsRefused);
    }

    [Fact]
    public async Task A_server_that_is_not_up_yet_is_waited_for()
    {
        ScriptedServer later;
        await using (ClientWorld world = await ClientWorld.StartAsync())
        {
            NlmClientOwner owner = world.Open();
            await world.HoldAsync(owner, "a", 0, 1);
            int port = world.Server.Port;
            await world.Server.DisposeAsync();
            world.Nsm.Reboot("server", 3);
            for (int attempt = 0; attempt < 3; attempt++)
                await world.PassAsync(TimeSpan.FromSeconds(1.1)); // in vain
            Assert.True(world.Host.IsReclaiming);
            later = await ScriptedServer.StartAsync(port);
            await world.PassAsync(TimeSpan.FromSeconds(1.1));
            await later.AnswerAsync("LOCK a 0+1 w reclaim", Nlm4Stats.Granted);
            await world.Host.Reclaimer!.StopAsync();
            Assert.False(owner.IsRefused);
        }
        await later.DisposeAsync();
    }

    [Fact]
    public async Task The_reclaimer_holds_the_server_that_nobody_else_holds_any_more()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 1);
        world.Nsm.Reboot("server", 3);
        ScriptedServer.Call call = await world.Server.NextAsync("LOCK a 0+1 w reclaim");
        Task closing = owner.DisposeAsync().AsTask();
        world.Client.Release(world.Host);
        Assert.Single(world.Client.Hosts);
        Kthread reclaimer = world.Host.Reclaimer!;
        call.Answer(Nlm4Stats.Granted);
        await world.Server.AnswerAsync("UNLOCK a 0+0", Nlm4Stats.Granted);
        await closing;
        await reclaimer.StopAsync();
        Assert.Empty(world.Client.Hosts);
    }

    [Fact]
    public async Task A_reclaimer_that_is_stopped_before_it_ran_keeps_nobody_waiting()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        world.StartsThreads = false;
        NlmClientOwner owner = world.Open();
        world.Nsm.Reboot("server", 3);
        Task<Nlm4Stats> locking = owner.LockAsync(LockKind.Write, new LockRange(0, 0), wait: false).AsTask();
        Assert.True(world.Host.IsReclaiming);
        Assert.False(locking.IsCompleted);
        await world.Client.DisposeAsync();
        Assert.False(world.Host.IsReclaiming);
        await Assert.ThrowsAnyAsync<Exception>(() => locking);
    }

    [Fact]
    public async Task A_reboot_of_another_machine_is_nothing()
    {
        await using ClientWorld world = await ClientWorld.StartAsync();
        NlmClientOwner owner = world.Open();
        await world.HoldAsync(owner, "a", 0, 1);
        world.Nsm.Reboot("server", 3, IPAddress.Parse("127.0.0.9").ToString());
        Assert.Equal(0, world.Threads);
        Assert.False(world.Server.HasMore);
    }
}
