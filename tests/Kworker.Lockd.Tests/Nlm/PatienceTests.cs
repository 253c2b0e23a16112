using Kworker.Lockd.Nlm;
using Microsoft.Extensions.Time.Testing;
using static Kworker.Lockd.Nlm.Nlm4Stats;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>What time does: clients that do not answer, and clients that hold nothing.</summary>
public sealed class PatienceTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly TestLog _log = new();

    [Fact]
    public async Task A_client_that_is_not_ready_is_told_again_every_ten_seconds()
    {
        await using ClientMachine machine = await ClientMachine.StartAsync();
        await using NlmWorld world = await StartAsync(machine);
        int calls = 0;
        machine.Answer = () => Interlocked.Increment(ref calls) < 3 ? DeniedGracePeriod : Granted;
        await using NlmPeer alice = world.Client("alice");
        await using NlmPeer bob = world.Client("bob");
        await HandToAsync(alice, bob);
        for (int i = 1; i <= 2; i++)
        {
            Assert.Equal("GRANTED v4 f 1@bob w 0+10", await machine.NextAsync());
            await _log.SaysAsync("GRANTED was not delivered: it is in grace");
            _time.Advance(TimeSpan.FromSeconds(9.9));
            Assert.False(machine.HasMore);
            _time.Advance(TimeSpan.FromSeconds(0.2));
        }
        Assert.Equal("GRANTED v4 f 1@bob w 0+10", await machine.NextAsync());
        Assert.Equal("Denied w 1 0+10", await alice.TestAsync(1, 0, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_cannot_be_told_loses_the_lock_to_the_next(bool hasRpcbind)
    {
        ClientMachine machine = await ClientMachine.StartAsync(knowsNlm: false);
        await using NlmWorld world = await StartAsync(machine);
        if (!hasRpcbind)
            await machine.DisposeAsync();
        await using NlmPeer alice = world.Client("alice");
        await using NlmPeer bob = world.Client("bob");
        await HandToAsync(alice, bob);
        for (int i = 0; i < 5; i++)
        {
            await _log.SaysAsync("GRANTED was not delivered: its rpcbind");
            Assert.Equal("Denied w 1 0+10", await alice.TestAsync(1, 0, 1));
            _time.Advance(TimeSpan.FromSeconds(10.1));
        }
        await _log.SaysAsync("the next in line gets it");
        while (await alice.TestAsync(1, 0, 1) != "Granted")
            await Task.Yield(); // it is unlocked in the same moment
        if (hasRpcbind)
            await machine.DisposeAsync();
    }

    [Fact]
    public async Task A_host_that_holds_nothing_is_forgotten_after_a_while_and_others_are_not()
    {
        await using ClientMachine machine = await ClientMachine.StartAsync();
        await using NlmWorld world = await StartAsync(machine);
        await using NlmPeer alice = world.Client("alice");
        await using NlmPeer bob = world.Client("bob");
        await using NlmPeer carol = world.Client("carol");
        Assert.Equal(Granted, await alice.LockAsync(1, 0, 10));
        Assert.Equal(Granted, await bob.LockAsync(1, 20, 10));
        Assert.Equal(Granted, await carol.ShareAsync("o", Fsh4Access.Read, Fsh4Mode.DenyNone));
        Assert.Equal(Granted, await bob.UnlockAsync(1, 20, 10));
        Assert.Equal(3, world.Server.HostCount);
        Assert.Equal(3, world.Nsm.Monitored.Length);
        for (int i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await world.Server.FlushAsync();
        }
        Assert.Equal(["alice@127.0.0.1", "carol@127.0.0.1"], world.Nsm.Monitored);
        Assert.Equal(2, world.Server.HostCount);
        Assert.Equal(Granted, await bob.LockAsync(1, 20, 10));
        Assert.Equal(3, world.Nsm.Monitored.Length);
    }

    private Task<NlmWorld> StartAsync(ClientMachine machine) =>
        NlmWorld.StartAsync(new NlmServerOptions { ClientRpcbindPort = machine.RpcbindPort, Logger = _log }, _time);

    private static async Task HandToAsync(NlmPeer from, NlmPeer to)
    {
        Assert.Equal(Granted, await from.LockAsync(1, 0, 10));
        Assert.Equal(Blocked, await to.LockAsync(1, 0, 10, block: true));
        Assert.Equal(Granted, await from.UnlockAsync(1, 0, 10));
    }
}
