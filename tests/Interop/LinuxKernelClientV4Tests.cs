using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>The Linux kernel's own client by NFSv4.0 and 4.1: locks, over the server's death and its own silence, too.</summary>
public sealed class LinuxKernelClientV4Tests
{
    [Theory, Trait("Run", "full")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public void Locks_outlive_the_death_of_the_server(string version) =>
        // A guest that has nothing to do finds out about the restart when it renews its lease, at two thirds of it: grace is as long as the lease.
        Reclaim.Run(version, "--rpcbind", "none", "--grace", "45", "--lease", "45");

    // What goes wrong once in a few times is found so.
    [Theory, Trait("Run", "full")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public void Locks_outlive_the_death_of_the_server_ten_times_in_a_row(string version) =>
        Reclaim.Run(version, 10, "--rpcbind", "none", "--grace", "45", "--lease", "45");

    [Theory]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public async Task Two_machines_compete_for_locks_and_each_gets_its_turn(string version)
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync();
        await using var one = LinuxGuest.StartOn(network, 1, server, version, "locks.sh");
        await using var two = LinuxGuest.StartOn(network, 2, server, version, "locks.sh");
        await one.HasOpenedAsync();
        await two.HasOpenedAsync();
        Assert.Equal("ok", await one.AskAsync("a", "w 0 10"));
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 5 10"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("b", "r 9 1"));
        Assert.Equal("ok", await two.AskAsync("a", "r 10 10"));
        Assert.Equal("ok", await one.AskAsync("b", "r 15 0"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("a", "w 19 1"));
        await two.TellAsync("a W 5 1");
        Assert.Equal("ok", await one.AskAsync("a", "u 0 10"));
        Assert.Equal("ok", await two.HearAsync("a "));
        Assert.Equal("errno EAGAIN", await one.AskAsync("a", "w 5 1"));
    }

    [Theory, Trait("Run", "full")]
    [InlineData("4.0")]
    [InlineData("4.1")]
    public async Task Who_is_frozen_loses_its_lock_to_who_asks_for_it_and_finds_out(string version)
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync("--lease", "30");
        await using var one = LinuxGuest.StartOn(network, 1, server, version, "locks.sh");
        await using var two = LinuxGuest.StartOn(network, 2, server, version, "locks.sh");
        await one.HasOpenedAsync();
        await two.HasOpenedAsync();
        Assert.Equal("ok", await one.AskAsync("a", "w 0 10"));
        Assert.Equal("ok", await one.AskAsync("a", "p hers"));
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 5 10"));

        one.Freeze();
        // The lease of who is silent ends at some time: until then the lock is not to be had.
        string answer;
        do
            answer = await two.AskAsync("a", "w 5 10");
        while (answer == "errno EAGAIN");
        Assert.Equal("ok", answer);
        await server.SaysAsync("is expired: what it held is free");
        Assert.Equal("ok", await two.AskAsync("a", "p his!"));
        one.Thaw();

        // What it writes under a lock that it has lost is refused by its own kernel, and the file is what the other made of it.
        Assert.Equal("errno EIO", await one.AskAsync("a", "p hers"));
        Assert.Equal("his!\n", File.ReadAllText(server.PathOf("lk")));
        // Its other process has the file open as before. The kernel there still counts the lost lock until who had it gives it up.
        Assert.Equal("ok", await one.AskAsync("a", "u 0 10"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("b", "w 5 1"));
        Assert.Equal("ok", await one.AskAsync("b", "w 0 5"));
        Assert.Equal("ok", await two.AskAsync("a", "u 0 0"));
        Assert.Equal("ok", await one.AskAsync("b", "w 5 1"));
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 0 10"));
        // Who had the file open when the lost write failed is told of that once, too, whoever made it (errseq_t of that kernel).
        await one.AskAsync("b", "p anew");
        Assert.Equal("ok", await one.AskAsync("b", "p anew"));
        Assert.Equal("anew\n", File.ReadAllText(server.PathOf("lk")));
    }
}
