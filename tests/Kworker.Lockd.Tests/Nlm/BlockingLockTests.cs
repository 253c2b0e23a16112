using Kworker.Lockd.Locks;
using Kworker.Lockd.Nlm;
using Kworker.SunRpc;
using static Kworker.Lockd.Nlm.Nlm4Stats;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>Requests that wait, and how their clients are told.</summary>
public sealed class BlockingLockTests : IAsyncLifetime
{
    private ClientMachine _machine = null!;
    private NlmWorld _world = null!;

    public async ValueTask InitializeAsync()
    {
        _machine = await ClientMachine.StartAsync();
        _world = await NlmWorld.StartAsync(new NlmServerOptions { ClientRpcbindPort = _machine.RpcbindPort });
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        await _machine.DisposeAsync();
    }

    [Theory]
    [InlineData(1u, RpcTransport.Udp)]
    [InlineData(3u, RpcTransport.Tcp)]
    [InlineData(4u, RpcTransport.Tcp)]
    [InlineData(4u, RpcTransport.Udp)]
    public async Task Who_waits_is_told_when_the_lock_is_free(uint version, RpcTransport transport)
    {
        await using NlmPeer alice = _world.Client("alice", version, transport);
        await using NlmPeer bob = _world.Client("bob", version, transport);
        Assert.Equal(Granted, await alice.LockAsync(7, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(8, 5, 0, block: true));
        Assert.False(_machine.HasMore);
        Assert.Equal(Granted, await alice.UnlockAsync(7, 0, 10));
        Assert.Equal($"GRANTED v{version} f 8@bob w 5+0", await _machine.NextAsync());
        Assert.Equal("Denied w 8 5+0", await alice.TestAsync(7, 6, 1));
        Assert.Equal(Granted, await bob.UnlockAsync(8, 5, 0));
        Assert.Equal("Granted", await alice.TestAsync(7, 6, 1));
    }

    [Fact]
    public async Task Who_is_silent_for_too_long_in_another_protocol_gives_way_at_once_and_to_who_only_asks_too()
    {
        await using NlmPeer bob = _world.Client("bob");
        var silent = new SilentOwner(_world.Table);
        var other = new SilentOwner(_world.Table);
        var file = new LockFileKey("f"u8);
        void Hold()
        {
            Assert.Equal(LockOutcome.Granted, _world.Table.Lock(file, silent, LockKind.Write, new LockRange(0, 9), out _));
            Assert.Equal(LockOutcome.Granted, _world.Table.Lock(file, other, LockKind.Write, new LockRange(10, 19), out _));
        }

        Hold();
        silent.IsThere = true;
        Assert.Equal("Denied w 0 0+10", await bob.TestAsync(8, 0, 0));
        Assert.Equal(Denied, await bob.LockAsync(8, 0, 0));
        Assert.Equal(2, _world.Table.Count);
        silent.IsThere = false;
        Assert.Equal("Granted", await bob.TestAsync(8, 0, 0));
        Assert.Equal(0, _world.Table.Count);
        Hold();
        Assert.Equal(Granted, await bob.LockAsync(8, 0, 0));
        Assert.Equal(Granted, await bob.UnlockAsync(8, 0, 0));
        Hold();
        Assert.Equal(Granted, await bob.LockAsync(8, 0, 0, block: true)); // not even BLOCKED
        Assert.False(_machine.HasMore);
        Assert.Equal(1, _world.Table.Count);
        Assert.Equal(0, _world.Table.WaitingCount);
    }

    /// <summary>As an owner of NFSv4: gives up all it has, if its client is not heard of any more.</summary>
    private sealed class SilentOwner(LockTable table) : LockOwner
    {
        public bool IsThere { get; set; }

        public override bool GiveWay() => !IsThere && table.ReleaseOwner(this) > 0;
    }

    [Fact]
    public async Task Those_that_wait_are_served_in_the_order_of_coming()
    {
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        for (int pid = 10; pid < 15; pid++)
            Assert.Equal(Blocked, await bob.LockAsync(pid, 0, 10, block: true));
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        for (int pid = 10; pid < 15; pid++)
        {
            Assert.Equal($"GRANTED v4 f {pid}@bob w 0+10", await _machine.NextAsync());
            Assert.False(_machine.HasMore);
            Assert.Equal(Granted, await bob.UnlockAsync(pid, 0, 10));
        }
        Assert.Equal(0, _world.Table.Count);
    }

    [Fact]
    public async Task Asked_again_it_keeps_its_place_and_hears_that_it_has_the_lock()
    {
        _machine.Answer = () => DeniedGracePeriod; // the client's lock manager is not ready: to be told again, later
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        await using NlmPeer carol = _world.Client("carol");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Blocked, await carol.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(2, _world.Table.WaitingCount);
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal("GRANTED v4 f 1@bob w 0+10", await _machine.NextAsync());
        Assert.Equal(Granted, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal("Denied w 1 0+10", await carol.TestAsync(1, 0, 10));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task A_request_that_is_cancelled_waits_no_more(uint version)
    {
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Granted, await bob.CancelAsync(1, 0, 9)); // another one: there is none such
        Assert.Equal(1, _world.Table.WaitingCount);
        Assert.Equal(Granted, await bob.CancelAsync(1, 0, 10));
        Assert.Equal(0, _world.Table.WaitingCount);
        Assert.Equal(Blocked, await bob.LockAsync(2, 0, 10, block: true));
        Assert.Equal(Granted, await bob.UnlockAsync(2, 0, 10)); // as a client does that is interrupted
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal("Granted", await alice.TestAsync(1, 0, 10));
        Assert.False(_machine.HasMore);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task Cancelled_too_late_it_is_denied_and_has_to_be_unlocked(uint version)
    {
        _machine.Answer = () => DeniedGracePeriod;
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal($"GRANTED v{version} f 1@bob w 0+10", await _machine.NextAsync());
        Assert.Equal(Denied, await bob.CancelAsync(1, 0, 10));
        Assert.Equal("Denied w 1 0+10", await alice.TestAsync(1, 0, 10));
        Assert.Equal(Granted, await bob.UnlockAsync(1, 0, 10));
        Assert.Equal("Granted", await alice.TestAsync(1, 0, 10));
    }

    [Fact]
    public async Task A_lock_that_its_client_does_not_want_goes_to_the_next()
    {
        int calls = 0;
        _machine.Answer = () => Interlocked.Increment(ref calls) == 1 ? Denied : Granted;
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        await using NlmPeer carol = _world.Client("carol");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Blocked, await carol.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal("GRANTED v4 f 1@bob w 0+10", await _machine.NextAsync());
        Assert.Equal("GRANTED v4 f 1@carol w 0+10", await _machine.NextAsync());
        Assert.Equal(Granted, await carol.UnlockAsync(1, 0, 10));
        Assert.Equal(0, _world.Table.Count);
    }

    [Fact]
    public async Task A_cycle_of_processes_that_wait_for_each_other_is_refused()
    {
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        await using NlmPeer old = _world.Client("old", version: 3);
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 1));
        Assert.Equal(Granted, await bob.LockAsync(1, 1, 1));
        Assert.Equal(Granted, await old.LockAsync(1, 2, 1));
        Assert.Equal(Blocked, await alice.LockAsync(1, 1, 1, block: true));
        Assert.Equal(Blocked, await bob.LockAsync(1, 2, 1, block: true));
        Assert.Equal(Denied, await old.LockAsync(1, 0, 1, block: true)); // version 3 has no word for a deadlock
        Assert.Equal(Granted, await old.UnlockAsync(1, 2, 1));
        Assert.Equal("GRANTED v4 f 1@bob w 2+1", await _machine.NextAsync());
        Assert.Equal(Deadlock, await bob.LockAsync(1, 0, 1, block: true));
    }

    [Fact]
    public async Task A_client_that_reboots_waits_no_more()
    {
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        _world.Nsm.Reboot("bob", 5);
        Assert.Equal(0, _world.Table.WaitingCount);
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal(0, _world.Table.Count);
        Assert.False(_machine.HasMore);
    }

    [Theory]
    [InlineData(1u, RpcTransport.Tcp)]
    [InlineData(1u, RpcTransport.Udp)]
    [InlineData(3u, RpcTransport.Tcp)]
    [InlineData(3u, RpcTransport.Udp)]
    [InlineData(4u, RpcTransport.Tcp)]
    [InlineData(4u, RpcTransport.Udp)]
    public async Task Asynchronous_calls_are_answered_by_calls(uint version, RpcTransport transport)
    {
        await using NlmPeer alice = _world.Client("alice", version, transport);
        Nlm4Lock asked = alice.LockOf(1, 0, 10);
        Nlm4Lock another = alice.LockOf(2, 0, 10);
        Assert.Equal("LockRes Granted", await AnswerAsync(NlmProcedure.LockMsg, asked));
        Assert.Equal("LockRes Denied", await AnswerAsync(NlmProcedure.LockMsg, another));
        Assert.Equal("TestRes Denied", await AnswerAsync(NlmProcedure.TestMsg, another));
        Assert.Equal(Blocked, await alice.LockAsync(2, 0, 10, block: true));
        Assert.Equal("CancelRes Granted", await AnswerAsync(NlmProcedure.CancelMsg, another));
        Assert.Equal(0, _world.Table.WaitingCount);
        Assert.Equal("GrantedRes Denied", await AnswerAsync(NlmProcedure.GrantedMsg, asked));
        Assert.Equal("UnlockRes Granted", await AnswerAsync(NlmProcedure.UnlockMsg, asked));
        Assert.Equal(0, _world.Table.Count);
        Assert.False(_machine.HasMore);

        async Task<string> AnswerAsync(NlmProcedure procedure, Nlm4Lock about)
        {
            await alice.SendAsync(procedure, [0xC0, (byte)procedure], about);
            string[] words = (await _machine.NextAsync()).Split(' ');
            Assert.Equal(($"v{version}", $"C0{(byte)procedure:X2}"), (words[1], words[3]));
            return $"{words[0]} {words[2]}";
        }
    }
}
