using Kworker.Lockd.Nlm;
using Kworker.SunRpc;
using static Kworker.Lockd.Nlm.Nlm4Stats;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>Whatever a client sends: an answer or a refusal, bounded memory, and the locks of others stay.</summary>
public sealed class HostileNlmTests
{
    [Fact]
    public async Task Arguments_with_any_bytes_changed_are_answered_or_refused_and_take_nothing_from_others()
    {
        await using NlmWorld world = await NlmWorld.StartAsync(new NlmServerOptions { ClientRpcbindPort = 1, MaximumNamesPerAddress = 8 });
        await using NlmPeer victim = world.Client("victim");
        Assert.Equal(Granted, await victim.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await victim.ShareAsync("o", Fsh4Access.Both, Fsh4Mode.DenyBoth));
        NlmPeer[] hostile = [world.Client("h", 1), world.Client("h", 3), world.Client("h", 4)];
        foreach ((uint procedure, HostileCalls.Raw arguments) in HostileCalls.From([.. Messages(hostile[2])], 1, 23, 750))
        {
            if (procedure == (uint)NlmProcedure.SmNotify)
                continue;
            foreach (NlmPeer peer in hostile)
            {
                try
                {
                    await peer.RawAsync<HostileCalls.Raw, XdrVoid>((NlmProcedure)procedure, arguments);
                }
                catch (RpcClientException)
                {
                    // Garbage, or no such procedure.
                }
            }
        }
        Assert.Equal("Denied w 1 0+10", await hostile[2].TestAsync(77, 0, 10));
        Assert.Equal(Denied, await hostile[2].ShareAsync("x", Fsh4Access.Read, Fsh4Mode.DenyNone));
        Assert.Equal(Granted, await victim.UnlockAsync(1, 0, 10));
        Assert.InRange(world.Server.HostCount, 1, 8);
        foreach (NlmPeer peer in hostile)
            await peer.DisposeAsync();
    }

    [Fact]
    public async Task Hosts_processes_waiting_requests_shares_and_locks_are_bounded()
    {
        await using NlmWorld world = await NlmWorld.StartAsync(new NlmServerOptions
        {
            MaximumNamesPerAddress = 3,
            MaximumOwnersPerHost = 5,
            MaximumBlockedPerHost = 4,
            MaximumSharesPerHost = 2,
            MaximumLocks = 20,
        });
        await using NlmPeer alice = world.Client("alice");
        await using NlmPeer bob = world.Client("bob");
        await using NlmPeer carol = world.Client("carol");
        await using NlmPeer dave = world.Client("dave");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        for (int pid = 1; pid <= 4; pid++)
            Assert.Equal(Blocked, await bob.LockAsync(pid, 0, 10, block: true));
        Assert.Equal(DeniedNoLocks, await bob.LockAsync(1, 1, 5, block: true)); // a fifth that waits
        Assert.Equal(Granted, await bob.LockAsync(5, 50, 10));
        Assert.Equal(DeniedNoLocks, await bob.LockAsync(6, 60, 10)); // a sixth process
        Assert.Equal(Granted, await bob.UnlockAsync(5, 50, 10));
        Assert.Equal(Granted, await bob.LockAsync(6, 60, 10));
        Assert.Equal(Granted, await carol.ShareAsync("1", default, default, file: "a"));
        Assert.Equal(Granted, await carol.ShareAsync("2", default, default, file: "a"));
        Assert.Equal(DeniedNoLocks, await carol.ShareAsync("3", default, default, file: "a"));
        Assert.Equal(Granted, await carol.ShareAsync("2", default, default, undo: true, file: "a"));
        Assert.Equal(Granted, await carol.ShareAsync("3", default, default, file: "b"));
        Assert.Equal(DeniedNoLocks, await dave.LockAsync(1, 900, 1)); // a fourth host
        for (ulong at = 100; world.Table.Count < 20; at += 2)
            Assert.Equal(Granted, await carol.LockAsync(1, at, 1));
        Assert.Equal(DeniedNoLocks, await carol.LockAsync(1, 1000, 1));
        Assert.Equal(Granted, await carol.UnlockAsync(1, 0, 0));
        Assert.Equal(Granted, await carol.LockAsync(1, 1000, 1));
    }

    [Fact]
    public async Task Nobody_unlocks_or_cancels_what_is_anothers()
    {
        await using NlmWorld world = await NlmWorld.StartAsync();
        await using NlmPeer alice = world.Client("alice");
        await using NlmPeer bob = world.Client("bob");
        await using NlmPeer mallory = world.Client("mallory");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await bob.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Granted, await mallory.UnlockAsync(1, 0, 0)); // what it holds there: nothing
        Assert.Equal(Granted, await mallory.CancelAsync(1, 0, 10));
        await mallory.FreeAllAsync();
        Assert.Equal((1L, 1), (world.Table.Count, (int)world.Table.WaitingCount));
    }

    // Arguments of a version 4 lock, unlock, cancel, test, share, free-all and result.
    private static IEnumerable<byte[]> Messages(NlmPeer peer)
    {
        Nlm4Lock asked = peer.LockOf(1, 0, 10);
        byte[] cookie = [1, 2, 3, 4];
        byte[] name = "h"u8.ToArray(), file = "f"u8.ToArray();
        yield return HostileCalls.Encode(new Nlm4LockArgs(cookie, true, true, asked, false, 1));
        yield return HostileCalls.Encode(new Nlm4UnlockArgs(cookie, asked));
        yield return HostileCalls.Encode(new Nlm4CancArgs(cookie, true, true, asked));
        yield return HostileCalls.Encode(new Nlm4TestArgs(cookie, true, asked));
        yield return HostileCalls.Encode(new NlmLockArgs(cookie, false, true, asked.ToV1(), false, 1));
        yield return HostileCalls.Encode(new Nlm4ShareArgs(cookie, new Nlm4Share(name, file, name, Fsh4Mode.DenyBoth, Fsh4Access.Both), false));
        yield return HostileCalls.Encode(new Nlm4Notify(name, 1));
        yield return HostileCalls.Encode(new Nlm4Res(cookie, Granted));
    }
}
