using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary>fcntl locks of Linux's own client, whose NLM and NSM talk to the server's own; nothing else runs beside it.</summary>
public sealed class LockTests
{
    [Fact]
    public async Task Locks_of_two_machines_conflict_are_waited_for_in_order_and_handed_over()
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync("--log-level", "debug");
        await using var one = LinuxGuest.StartOn(network, 1, server, "3", "locks.sh");
        await using var two = LinuxGuest.StartOn(network, 2, server, "3", "locks.sh");
        await one.HasOpenedAsync();
        await two.HasOpenedAsync();

        Assert.Equal("ok", await one.AskAsync("a", "w 0 10"));
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 5 10"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("b", "r 9 1"));
        Assert.StartsWith("w 0 10", await two.AskAsync("a", "t 5 10"), StringComparison.Ordinal);
        Assert.Equal("ok", await two.AskAsync("a", "r 10 10"));
        Assert.Equal("ok", await one.AskAsync("b", "r 15 0"));
        Assert.Equal("errno EAGAIN", await one.AskAsync("a", "w 19 1"));

        // Each that waits is let in when the one before has done. (A process waits at its own machine first while another one there has the lock.)
        await two.TellAsync("a W 5 1");
        await server.SaysAsync("guest2 (10.77.0.12) waits for a lock; 1 wait in all");
        await two.TellAsync("b W 5 1");
        await server.SaysAsync("guest2 (10.77.0.12) waits for a lock; 2 wait in all");
        Assert.Equal("ok", await one.AskAsync("a", "u 0 10"));
        Assert.Equal("ok", await two.HearAsync("a "));
        await one.TellAsync("a W 5 1");
        await server.SaysAsync("guest1 (10.77.0.11) waits for a lock; 2 wait in all");
        Assert.Equal("ok", await two.AskAsync("a", "u 5 1"));
        Assert.Equal("ok", await two.HearAsync("b "));
        Assert.Equal("errno EAGAIN", await one.AskAsync("b", "w 5 1"));
        Assert.Equal("ok", await two.AskAsync("b", "u 0 0"));
        Assert.Equal("ok", await one.HearAsync("a "));
        Assert.Equal("errno EAGAIN", await two.AskAsync("b", "w 5 1"));
    }

    [Fact]
    public void Locks_outlive_the_death_of_the_server() => Reclaim.Run("3", "--rpcbind", "builtin");

    // What goes wrong once in a few times is found so.
    [Fact, Trait("Run", "full")]
    public void Locks_outlive_the_death_of_the_server_ten_times_in_a_row() => Reclaim.Run("3", 10, "--rpcbind", "builtin");

    [Fact]
    public async Task Locks_of_a_machine_that_was_reset_are_released_when_it_says_so_and_not_before()
    {
        using var network = GuestNetwork.Start();
        await using var server = await network.ServeAsync();
        await using var two = LinuxGuest.StartOn(network, 2, server, "3", "locks.sh");
        await using (var one = LinuxGuest.StartOn(network, 1, server, "3", "locks.sh"))
        {
            await one.HasOpenedAsync();
            await two.HasOpenedAsync();
            Assert.Equal("ok", await one.AskAsync("a", "w 0 10"));
            Assert.Equal("ok", await two.AskAsync("a", "w 10 10"));
        }

        await using var again = LinuxGuest.StartOn(network, 1, server, "3", "locks.sh");
        await again.HasOpenedAsync();
        Assert.Equal("errno EAGAIN", await two.AskAsync("a", "w 5 1"));
        // It has no disk that remembers whom it locked with: a lock, given up at once, lets its monitor know the server again.
        Assert.Equal("ok", await again.AskAsync("b", "w 50 1"));
        Assert.Equal("ok", await again.AskAsync("b", "u 50 1"));
        await again.TellAsync("notify");
        await server.SaysAsync("has rebooted: its locks are released");
        Assert.Equal("ok", await two.AskAsync("a", "w 5 1"));
        Assert.Equal("errno EAGAIN", await again.AskAsync("a", "w 10 1"));
    }
}
