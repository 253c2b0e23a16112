using Kworker.Lockd.Nlm;
using Kworker.SunRpc;
using static Kworker.Lockd.Nlm.Nlm4Stats;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>TEST, LOCK, CANCEL and UNLOCK on the wire, in every version.</summary>
public sealed class NlmLockTests : IAsyncLifetime
{
    private NlmWorld _world = null!;

    public async ValueTask InitializeAsync() => _world = await NlmWorld.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData(1u, RpcTransport.Tcp)]
    [InlineData(1u, RpcTransport.Udp)]
    [InlineData(3u, RpcTransport.Tcp)]
    [InlineData(3u, RpcTransport.Udp)]
    [InlineData(4u, RpcTransport.Tcp)]
    [InlineData(4u, RpcTransport.Udp)]
    public async Task Locks_conflict_and_are_handed_over(uint version, RpcTransport transport)
    {
        await using NlmPeer alice = _world.Client("alice", version, transport);
        await using NlmPeer bob = _world.Client("bob", version, transport);
        Assert.Equal("Granted", await alice.TestAsync(7, 0, 10));
        Assert.Equal(Granted, await alice.LockAsync(7, 0, 10));
        Assert.Equal(Denied, await bob.LockAsync(7, 5, 10)); // the same number at another host is another process
        Assert.Equal(Denied, await alice.LockAsync(8, 5, 10));
        Assert.Equal("Denied w 7 0+10", await bob.TestAsync(7, 5, 10));
        Assert.Equal(Granted, await alice.UnlockAsync(7, 0, 6));
        Assert.Equal("Denied w 7 6+4", await bob.TestAsync(7, 5, 0));
        Assert.Equal(Granted, await bob.LockAsync(7, 0, 6, exclusive: false));
        Assert.Equal(Granted, await alice.LockAsync(8, 0, 6, exclusive: false));
        Assert.Equal(Granted, await alice.LockAsync(7, 100, 0));
        Assert.Equal("Denied w 7 100+0", await bob.TestAsync(1, 1_000_000, 1));
        Assert.Equal(Granted, await bob.UnlockAsync(99, 0, 0)); // nothing to unlock is no error
    }

    [Fact]
    public async Task A_range_that_cannot_be_locked_is_FBIG()
    {
        await using NlmPeer alice = _world.Client();
        Assert.Equal(Granted, await alice.LockAsync(1, long.MaxValue, 1));
        Assert.Equal(FBig, await alice.LockAsync(1, (ulong)long.MaxValue + 1, 1));
        Assert.Equal(FBig, await alice.LockAsync(1, long.MaxValue, 2));
        Assert.Equal(FBig, await alice.LockAsync(1, 1, ulong.MaxValue));
        Assert.Equal(FBig, await alice.UnlockAsync(1, ulong.MaxValue, 0));
        Assert.Equal("FBig", await alice.TestAsync(1, ulong.MaxValue, 5));
        Assert.Equal(FBig, await alice.CancelAsync(1, ulong.MaxValue, 5));
    }

    [Fact]
    public async Task What_the_file_forbids_is_said_in_the_versions_own_words()
    {
        _world.Files.Refusals["stale"] = StaleFh;
        _world.Files.Refusals["directory"] = Failed;
        _world.Files.ReadOnly.Add("ro");
        await using NlmPeer alice = _world.Client();
        Assert.Equal(StaleFh, await alice.LockAsync(1, 0, 1, file: "stale"));
        Assert.Equal("StaleFh", await alice.TestAsync(1, 0, 1, file: "stale"));
        Assert.Equal(StaleFh, await alice.UnlockAsync(1, 0, 1, file: "stale"));
        Assert.Equal(StaleFh, await alice.CancelAsync(1, 0, 1, file: "stale"));
        Assert.Equal(Failed, await alice.LockAsync(1, 0, 1, file: "directory"));
        Assert.Equal(RoFs, await alice.LockAsync(1, 0, 1, file: "ro"));
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 1, exclusive: false, file: "ro"));
        await using NlmPeer old = _world.Client("old", version: 3);
        Assert.Equal(DeniedNoLocks, await old.LockAsync(1, 0, 1, file: "stale"));
        Assert.Equal("DeniedNoLocks", await old.TestAsync(1, 0, 1, file: "stale"));
    }

    [Fact]
    public async Task A_lock_on_a_file_that_is_gone_can_be_given_up()
    {
        await using NlmPeer alice = _world.Client();
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 1));
        _world.Files.Gone.Add("f");
        Assert.Equal(StaleFh, await alice.LockAsync(1, 5, 1));
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 1));
        Assert.Equal(0, _world.Table.Count);
    }

    [Fact]
    public async Task A_file_system_that_throws_is_FAILED()
    {
        _world.Files.Fault = new InvalidOperationException("planted by the test");
        await using NlmPeer alice = _world.Client();
        Assert.Equal(Failed, await alice.LockAsync(1, 0, 1));
        Assert.Equal("Failed", await alice.TestAsync(1, 0, 1));
        await using NlmPeer old = _world.Client(version: 1);
        Assert.Equal(DeniedNoLocks, await old.LockAsync(1, 0, 1));
    }

    [Fact]
    public async Task In_grace_locks_are_reclaimed_and_nothing_else()
    {
        object manager = new();
        _world.Grace.Start(manager);
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        Assert.Equal(DeniedGracePeriod, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10, reclaim: true));
        Assert.Equal(DeniedGracePeriod, await bob.LockAsync(1, 50, 10));
        Assert.Equal(DeniedGracePeriod, await bob.LockAsync(1, 50, 10, block: true));
        Assert.Equal(Denied, await bob.LockAsync(1, 5, 10, reclaim: true)); // somebody lies
        Assert.Equal("DeniedGracePeriod", await bob.TestAsync(1, 50, 10));
        Assert.Equal(DeniedGracePeriod, await alice.UnlockAsync(1, 0, 10));
        Assert.Equal(DeniedGracePeriod, await alice.CancelAsync(1, 0, 10));
        Assert.Equal(DeniedGracePeriod, await bob.ShareAsync("o", Fsh4Access.Read, Fsh4Mode.DenyNone));
        Assert.Equal(Granted, await bob.ShareAsync("o", Fsh4Access.Read, Fsh4Mode.DenyNone, reclaim: true));
        _world.Grace.End(manager);
        Assert.Equal(Denied, await bob.LockAsync(1, 5, 10));
        Assert.Equal(DeniedGracePeriod, await bob.LockAsync(1, 50, 10, reclaim: true)); // too late, in the word of too early
        Assert.Equal(Granted, await bob.LockAsync(1, 50, 10));
        Assert.Equal(Granted, await alice.UnlockAsync(1, 0, 10));
    }

    [Theory]
    [InlineData(3u)] // the first that has NM_LOCK
    [InlineData(4u)]
    public async Task A_client_is_monitored_before_it_holds_anything_and_once(uint version)
    {
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        await alice.TestAsync(1, 0, 1);
        await alice.UnlockAsync(1, 0, 1);
        Assert.Equal(Granted, await bob.NmLockAsync(1, 50, 1)); // asks not to be
        Assert.Empty(_world.Nsm.Monitored);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => alice.LockAsync(i, (ulong)i, 1)));
        Assert.Equal(["alice@127.0.0.1"], _world.Nsm.Monitored);
        _world.Nsm.Works = false;
        Assert.Equal(DeniedNoLocks, await bob.LockAsync(1, 60, 1));
        Assert.Equal(Granted, await alice.LockAsync(1, 61, 1));
        _world.Nsm.Works = true;
        Assert.Equal(Granted, await bob.LockAsync(1, 60, 1));
        Assert.Equal(["alice@127.0.0.1", "bob@127.0.0.1"], _world.Nsm.Monitored);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../etc/passwd")]
    [InlineData("a\0b")]
    public async Task A_name_that_is_none_gets_no_lock(string name)
    {
        await using NlmPeer client = _world.Client(name);
        Assert.Equal(DeniedNoLocks, await client.LockAsync(1, 0, 1));
        Assert.Empty(_world.Nsm.Monitored);
    }

    [Fact]
    public async Task A_client_that_reboots_loses_what_it_held_and_others_do_not()
    {
        await using NlmPeer alice = _world.Client("alice");
        await using NlmPeer bob = _world.Client("bob");
        alice.State = 3;
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await alice.LockAsync(2, 0, 10, file: "g"));
        Assert.Equal(Granted, await alice.ShareAsync("o", Fsh4Access.Read, Fsh4Mode.DenyBoth));
        Assert.Equal(Granted, await bob.LockAsync(1, 100, 10));
        _world.Nsm.Reboot("alice", 5, "127.0.0.9"); // another's
        _world.Nsm.Reboot("carol", 5);
        Assert.Equal(3, _world.Table.Count);
        _world.Nsm.Reboot("alice", 5);
        Assert.Equal(1, _world.Table.Count);
        Assert.Equal(Granted, await bob.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await bob.ShareAsync("o", Fsh4Access.Read, Fsh4Mode.DenyNone));
    }

    [Fact]
    public async Task Locks_taken_after_a_reboot_outlive_the_notice_of_it()
    {
        await using NlmPeer alice = _world.Client("alice");
        alice.State = 3;
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await alice.LockAsync(2, 20, 10));
        alice.State = 5; // rebooted, its NSM is slow
        Assert.Equal(Granted, await alice.LockAsync(1, 50, 10)); // process 1 of the new life: what that of the old one held is gone
        Assert.Equal("Granted", await alice.TestAsync(9, 0, 10));
        Assert.Equal("Denied w 2 20+10", await alice.TestAsync(9, 20, 10));
        _world.Nsm.Reboot("alice", 5);
        Assert.Equal("Granted", await alice.TestAsync(9, 20, 10));
        Assert.Equal("Denied w 1 50+10", await alice.TestAsync(9, 50, 10));
        _world.Nsm.Reboot("alice", 7);
        Assert.Equal(0, _world.Table.Count);
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task FREE_ALL_releases_the_callers_own_and_nothing_else(uint version)
    {
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        await alice.LockAsync(1, 0, 10);
        await bob.LockAsync(1, 20, 10);
        await bob.FreeAllAsync();
        await bob.FreeAllAsync(of: "nobody");
        Assert.Equal("Denied w 1 0+10", await bob.TestAsync(1, 0, 0));
        Assert.Equal(1, _world.Table.Count);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task GRANTED_is_denied_and_results_are_forgotten(uint version)
    {
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        Assert.Equal(Granted, await bob.LockAsync(1, 0, 1));
        Assert.Equal(Blocked, await alice.LockAsync(1, 0, 1, block: true));
        byte[] cookie = [1, 2, 3, 4]; // that of alice's calls
        Nlm4Lock wanted = alice.LockOf(1, 0, 1);
        Nlm4Res granted = version == 4
            ? await alice.RawAsync<Nlm4TestArgs, Nlm4Res>(NlmProcedure.Granted, new Nlm4TestArgs(cookie, true, wanted))
            : await alice.RawAsync<NlmTestArgs, Nlm4Res>(NlmProcedure.Granted, new NlmTestArgs(cookie, true, wanted.ToV1()));
        Assert.Equal(Denied, granted.Stat);
        if (version == 4)
            await alice.RawAsync<Nlm4TestRes, XdrVoid>(NlmProcedure.TestRes, new Nlm4TestRes(cookie, new Nlm4TestReply(Granted)));
        else
            await alice.RawAsync<NlmTestRes, XdrVoid>(NlmProcedure.TestRes, new NlmTestRes(cookie, new NlmTestReply(Granted)));
        foreach (NlmProcedure procedure in (NlmProcedure[])[NlmProcedure.LockRes, NlmProcedure.UnlockRes, NlmProcedure.CancelRes, NlmProcedure.GrantedRes])
            await alice.RawAsync<Nlm4Res, XdrVoid>(procedure, new Nlm4Res(cookie, Granted));
        Assert.Equal((1L, 1), (_world.Table.Count, _world.Table.WaitingCount));
        Assert.Equal("Denied w 1 0+1", await alice.TestAsync(2, 0, 1));
    }

    [Fact]
    public async Task SM_NOTIFY_is_taken_from_a_port_that_is_roots_only()
    {
        await using NlmPeer alice = _world.Client();
        var notify = new NlmSmNotify("alice"u8.ToArray(), 5, new byte[16]);
        RpcClientException refused = await Assert.ThrowsAsync<RpcClientException>(
            () => alice.RawAsync<NlmSmNotify, XdrVoid>(NlmProcedure.SmNotify, notify));
        Assert.Equal(RpcAuthStatus.TooWeak, refused.AuthStatus);
        Assert.Null(_world.SmNotified);
        if (!Environment.IsPrivilegedProcess)
            return;
        await using var root = new RpcClient(_world.EndPoint, RpcTransport.Udp, new RpcClientOptions { FromReservedPort = true });
        await root.CallAsync<NlmSmNotify, XdrVoid>(NlmProtocol.Program, 4, (uint)NlmProcedure.SmNotify, notify);
        Assert.Equal(5, _world.SmNotified!.Value.State);
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(4u)]
    public async Task Shares_bind_those_that_share(uint version)
    {
        await using NlmPeer alice = _world.Client("alice", version);
        await using NlmPeer bob = _world.Client("bob", version);
        Assert.Equal(Granted, await alice.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyWrite));
        Assert.Equal(Denied, await bob.ShareAsync("1", Fsh4Access.Write, Fsh4Mode.DenyNone));
        Assert.Equal(Denied, await bob.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyRead));
        Assert.Equal(Granted, await bob.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyNone));
        Assert.Equal(Denied, await alice.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyBoth)); // changed: bob reads
        Assert.Equal(Granted, await alice.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyNone));
        Assert.Equal(Granted, await bob.ShareAsync("1", Fsh4Access.Both, Fsh4Mode.DenyNone));
        Assert.Equal(Granted, await bob.LockAsync(1, 0, 1)); // no lock is kept from anybody
        Assert.Equal(Granted, await bob.ShareAsync("1", default, default, undo: true));
        Assert.Equal(Granted, await bob.ShareAsync("1", default, default, undo: true));
        Assert.Equal(Granted, await alice.ShareAsync("1", Fsh4Access.Read, Fsh4Mode.DenyBoth));
    }
}
