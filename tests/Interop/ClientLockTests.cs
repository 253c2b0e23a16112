using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>Locks of our client, kept over restarts of servers.</summary>
public sealed class ClientLockTests
{
    private const int Clients = 10;
    private const int Files = 100;
    private const int RangeLength = 10;
    private const int Restarts = 10;

    [Fact]
    public async Task A_thousand_locks_of_ten_clients_are_held_over_ten_kills_and_none_twice()
    {
        int seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var network = await PrivateNetwork.StartAsync();
        await using var server = await NfsServer.StartAsync(new ServerOptions
        {
            Rpcbind = "builtin",
            RunBy = network.RunBy,
            Arguments = ["--grace", "10"],
        });
        await using var clients = await LockClients.StartAsync(
            network.RunBy, $"nfs://127.0.0.1:{server.Port}{server.Export}", Enumerable.Range(0, Clients).Select(client => $"127.0.0.{11 + client}"));

        var first = await Task.WhenAll(from client in Enumerable.Range(0, Clients) from file in Enumerable.Range(0, Files) select clients.DoAsync($"lock {client} {Range(file, client)}"));
        Assert.All(first, answer => Assert.Equal("granted", answer));
        await HeldAreHeldOnceAsync(clients, Clients * Files);

        for (int restart = 0; restart < Restarts; restart++)
        {
            // Some give up what they have, some want what others have, and in the midst of it the server dies.
            var changes = Enumerable.Range(0, 60).Select(_ => clients.DoAsync(random.Next(2) == 0
                ? $"unlock {random.Next(Clients)} {Range(random.Next(Files), random.Next(Clients))}"
                : $"lock {random.Next(Clients)} {Range(random.Next(Files), random.Next(Clients))}")).ToArray();
            await changes[random.Next(changes.Length)];
            await server.KillAsync();
            await server.StartAgainAsync();
            // They are done when grace is over.
            Assert.All(await Task.WhenAll(changes), answer => Assert.Contains(answer, (string[])["ok", "granted", "denied"]));
            await HeldAreHeldOnceAsync(clients, null);
        }

        Assert.Empty(clients.Lost);
        await clients.EndAsync();
        Assert.Equal(0, await server.StopAsync());
    }

    [Fact]
    public async Task Locks_at_linuxs_own_server_are_held_over_its_restart()
    {
        using var network = GuestNetwork.Start();
        await using var server = LinuxGuest.ServeOn(network, 1, "knfsd.sh");
        await server.SaysAsync("up");
        await using var clients = await LockClients.StartAsync(network.RunBy, $"nfs://{LinuxGuest.AddressOn(1)}/srv", "10.77.0.1");
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 0 10"));
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 20 5"));
        Assert.Equal("0-9 20-24", await LocksAsync(server));

        await server.TellAsync("restart");
        await server.SaysAsync("restarted");
        // Waits for the end of the server's grace period; by then all is reclaimed, or never will be.
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 40 5"));
        Assert.Equal("0-9 20-24 40-44", await LocksAsync(server));
        Assert.Equal("ok", await clients.DoAsync("write 0 f kept"));
        Assert.Empty(clients.Lost);

        Assert.Equal("ok", await clients.DoAsync("unlock 0 f 0 10"));
        Assert.Equal("20-24 40-44", await LocksAsync(server));
        await clients.EndAsync();
        Assert.Equal("", await LocksAsync(server));
        await server.TellAsync("end");
    }

    [Fact]
    public async Task A_lock_at_linuxs_own_server_is_waited_for_and_handed_over()
    {
        using var network = GuestNetwork.Start();
        await using var server = LinuxGuest.ServeOn(network, 1, "knfsd.sh");
        await server.SaysAsync("up");
        // Two addresses of the same side, with a lock manager each.
        Command.Run("ip", ["netns", "exec", network.Name, "ip", "addr", "add", "10.77.0.2/24", "dev", "br0"]).Succeeds();
        await using var clients = await LockClients.StartAsync(network.RunBy, $"nfs://{LinuxGuest.AddressOn(1)}/srv", "10.77.0.1", "10.77.0.2");
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 0 10"));
        Assert.Equal("denied", await clients.DoAsync("lock 1 f 5 1"));
        var waiting = clients.DoAsync("lock 1 f 5 10 wait");
        Assert.Equal("ok", await clients.DoAsync("unlock 0 f 0 10"));
        Assert.Equal("granted", await waiting);
        Assert.Equal("5-14", await LocksAsync(server));
        await clients.EndAsync();
        await server.TellAsync("end");
    }

    // Of itself it tells nobody that it has restarted, and has its rpc.statd forget whom it should: nfs-utils' sm-notify has to be run before.
    [Fact]
    public async Task Locks_at_ganesha_are_held_over_its_restart_where_something_tells_us_of_it()
    {
        await using Ganesha server = await Ganesha.StartAsync(grace: 5, monitors: true);
        await using PrivateNetwork here = await server.Network.StartNeighbourAsync();
        await using var clients = await LockClients.StartAsync(here.RunBy, server.Url(address: "10.78.0.1"), "10.78.0.2", "10.78.0.3");
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 0 10"));
        Assert.Equal("granted", await clients.DoAsync("lock 0 f 20 5"));
        Assert.Equal("denied", await clients.DoAsync("lock 1 f 5 1"));

        await server.KillAsync();
        server.Network.Run(Machine.NeedCommand("sm-notify", "nfs-common"), "-f", "-v", "server").Succeeds();
        await clients.LogsAsync("has rebooted"); // told while it is away: it is waited for
        await server.StartAgainAsync();
        // A rival is answered at the end of the grace period; by then all is reclaimed, or never will be.
        Assert.Equal(["denied", "denied", "granted"], await Task.WhenAll(clients.DoAsync("lock 1 f 5 1"), clients.DoAsync("lock 1 f 24 1"), clients.DoAsync("lock 1 f 30 1")));
        Assert.Equal("ok", await clients.DoAsync("write 0 f kept"));
        Assert.Empty(clients.Lost);
        Assert.Contains("done reclaiming 2 locks", clients.Log, StringComparison.Ordinal);
        await clients.EndAsync();
    }

    private static async Task<string> LocksAsync(LinuxGuest server)
    {
        await server.TellAsync("locks");
        return (await server.HearAsync("locks ")).Trim();
    }

    private static string Range(int file, int slot) => $"file{file} {slot * RangeLength} {RangeLength}";

    /// <summary>While nobody does anything: what each client believes it holds is held, by it alone; what nobody believes to hold is free.</summary>
    private static async Task HeldAreHeldOnceAsync(LockClients clients, int? count)
    {
        var believed = await BelievedAsync(clients);
        Assert.All(believed, range => Assert.True(range.Value.Count == 1, $"{range.Key} is held by clients {string.Join(" and ", range.Value)}"));
        if (count is not null)
            Assert.Equal(count, believed.Count);
        string[] asked = [.. from file in Enumerable.Range(0, Files) from slot in Enumerable.Range(0, Clients) select $"file{file}/{slot * RangeLength}/{RangeLength}"];
        var answers = (await clients.DoAsync($"test {string.Join(' ', asked)}")).Split(' ');
        Assert.True(answers.Length == asked.Length, string.Join(' ', answers));
        var holders = new Dictionary<(string File, string Process), int>();
        foreach (var (range, process) in asked.Zip(answers))
        {
            if (!believed.TryGetValue(range, out var client))
            {
                Assert.True(process == "free", $"{range}: process {process} holds it, and no client believes so");
                continue;
            }

            Assert.True(process != "free", $"{range}: client {client[0]} believes that it holds it, and nobody does");
            var holder = (range.Split('/')[0], process);
            Assert.True(
                holders.TryAdd(holder, client[0]) || holders[holder] == client[0],
                $"{range}: client {client[0]} believes that it holds it, and client {holders[holder]} does");
        }
    }

    private static async Task<Dictionary<string, List<int>>> BelievedAsync(LockClients clients)
    {
        var believed = new Dictionary<string, List<int>>();
        for (int client = 0; client < Clients; client++)
        {
            foreach (var range in (await clients.DoAsync($"held {client}")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!believed.TryGetValue(range, out var holders))
                    believed[range] = holders = [];
                holders.Add(client);
            }
        }

        return believed;
    }
}
