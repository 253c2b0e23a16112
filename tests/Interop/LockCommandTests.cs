using Kworker.Interop.Peers;

namespace Kworker.Interop;

/// <summary><c>nfs lock FILE RANGE -- COMMAND</c> as its user meets it, with our server.</summary>
public sealed class LockCommandTests
{
    // What the command under the lock does: says so, waits for a line (or the end of its input), ends with a status of its own.
    private static readonly string[] s_holds = ["sh", "-c", "echo has; read line; exit 7"];

    [Fact]
    public async Task The_lock_is_held_while_the_command_runs_whose_exit_status_is_passed_on()
    {
        await using var place = await Place.StartAsync();
        Assert.Equal(7, place.Lock("f", "0-9", "sh", "-c", "exit 7").ExitCode);
        Assert.Equal(0, place.Lock("f", "0-9", "true").ExitCode);
        Assert.Equal(137, place.Lock("f", "0-9", "sh", "-c", "kill -KILL $$").ExitCode); // as shells count it
        Command none = place.Lock("f", "0-9", "no-such-command");
        Assert.Equal((127, "nfs: no-such-command: No such file or directory\n"), (none.ExitCode, none.Error));

        await using Talk holder = place.Hold("f", "0-9");
        Assert.Equal("has", await holder.HearAsync());
        Command rival = place.Lock("f", "5-5", "-n", "echo", "never");
        Assert.Equal((1, ""), (rival.ExitCode, rival.Output));
        Assert.Contains("another lock manager runs on this machine", rival.Error, StringComparison.Ordinal); // the holder's
        Assert.EndsWith($"\nnfs: {place.Url("f")}: somebody else has locked it, bytes 5 to 5\n", rival.Error, StringComparison.Ordinal);
        Assert.Equal(0, place.Lock("f", "10+5", "-n", "true").ExitCode);
        await using Talk waits = place.Hold("f", "5-5");
        Assert.Equal(7, await holder.EndsAsync());
        Assert.Equal("has", await waits.HearAsync());
        Assert.Equal(7, await waits.EndsAsync());
    }

    [Fact]
    public async Task Two_hold_a_shared_lock_at_once_and_nobody_an_exclusive_one_meanwhile()
    {
        await using var place = await Place.StartAsync();
        await File.WriteAllTextAsync(place.Server.PathOf("f"), "");
        await using Talk one = place.HoldShared("f", "0-9");
        Assert.Equal("has", await one.HearAsync());
        await using Talk other = place.HoldShared("f", "5-14");
        Assert.Equal("has", await other.HearAsync());
        Assert.Equal(1, place.Lock("f", "0-0", "-n", "true").ExitCode);
        Assert.Equal(7, await one.EndsAsync());
        Assert.Equal(0, place.Lock("f", "0-4", "-n", "true").ExitCode);
        Assert.Equal(1, place.Lock("f", "5-5", "-n", "true").ExitCode); // the other's
        Assert.Equal(7, await other.EndsAsync());
        Assert.Equal(0, place.Lock("f", "5-5", "-n", "true").ExitCode);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Told_to_end_it_tells_the_command_and_holds_the_lock_until_that_has_ended(string signal)
    {
        await using var place = await Place.StartAsync();
        await using Talk holder = place.Hold("f", "all", "sh", "-c", "trap 'echo told; read line; exit 9' TERM; echo has; while :; do read line; done");
        Assert.Equal("has", await holder.HearAsync());
        holder.Signal(signal);
        Assert.Equal("told", await holder.HearAsync());
        Assert.Equal(1, place.Lock("f", "0-0", "-n", "true").ExitCode);
        Assert.Equal(9, await holder.EndsAsync());
        Assert.Equal(0, place.Lock("f", "0-0", "-n", "true").ExitCode);
    }

    [Theory]
    [InlineData("builtin", "10.78.0.1")]
    [InlineData("builtin", "[fd78::1]")]
    [InlineData("system", "10.78.0.1")] // rpcbind and status monitor are the machine's
    public async Task It_is_held_over_the_death_of_the_server(string nsm, string address)
    {
        await using var place = await Place.StartAsync(nsm, address);
        await using Talk holder = place.Hold("f", "0-9");
        Assert.Equal("has", await holder.HearAsync());
        await place.Server.KillAsync();
        await place.Server.StartAgainAsync();
        // Answered at the end of grace; by then it was reclaimed, or never will be.
        Assert.Equal(1, place.Lock("f", "0-9", "-n", "true").ExitCode);
        Assert.Equal(7, await holder.EndsAsync());
        Assert.DoesNotContain("did not give the lock back", holder.Errors, StringComparison.Ordinal);
        Assert.Equal(0, place.Lock("f", "0-9", "-n", "true").ExitCode);
    }

    [Fact]
    public async Task A_lock_that_was_lost_is_said_and_fails_a_command_that_did_not()
    {
        await using var place = await Place.StartAsync();
        await using Talk holder = place.Hold("f", "0-9", "sh", "-c", "echo has; read line; exit 0");
        Assert.Equal("has", await holder.HearAsync());
        // It sleeps while its lock could be reclaimed, and somebody else has it meanwhile.
        holder.Signal("STOP");
        await place.Server.KillAsync();
        await place.Server.StartAgainAsync();
        await using Talk rival = place.HoldAtServer("f", "0-9");
        Assert.Equal("has", await rival.HearAsync());
        holder.Signal("CONT");
        await holder.SaysErrorAsync($"nfs: {place.Url("f")}: the server restarted and did not give the lock back: somebody else may have had it since");
        Assert.Equal(1, await holder.EndsAsync());
        Assert.Equal(7, await rival.EndsAsync());
    }

    /// <summary>A server, and another machine on its network where the command runs.</summary>
    private sealed class Place(PrivateNetwork there, NfsServer server, string address, PrivateNetwork here) : IAsyncDisposable
    {
        public NfsServer Server => server;

        public static async Task<Place> StartAsync(string nsm = "builtin", string address = "10.78.0.1")
        {
            Assert.SkipWhen(NfsServer.IsGanesha, "not run: the peer has no status monitor of its own");
            PrivateNetwork there = await PrivateNetwork.StartAsync(nsm == "system" ? PrivateNetwork.Statd : ":");
            PrivateNetwork here = await there.StartNeighbourAsync();
            var options = new ServerOptions { Rpcbind = nsm, RunBy = there.RunBy, Arguments = ["--bind", "0.0.0.0", "--bind", "::", "--nsm", nsm, "--grace", "5"] };
            return new Place(there, await NfsServer.StartAsync(options), address, here);
        }

        public string Url(string name) => Url(address, name);

        public Command Lock(string name, string range, params string[] command)
        {
            bool isImpatient = command[0] == "-n";
            string[] line = Line(here, isImpatient ? ["-n"] : [], Url(name), range, isImpatient ? command[1..] : command);
            return Command.Run(line[0], line[1..], new Dictionary<string, string> { ["DOTNET_ROOT"] = Machine.DotnetRoot });
        }

        public Talk Hold(string name, string range, params string[] command) =>
            Talk.Start(Line(here, [], Url(name), range, command.Length == 0 ? s_holds : command));

        public Talk HoldShared(string name, string range) => Talk.Start(Line(here, ["-s"], Url(name), range, s_holds));

        public Talk HoldAtServer(string name, string range) => Talk.Start(Line(there, [], Url("127.0.0.1", name), range, s_holds));

        public async ValueTask DisposeAsync()
        {
            await server.DisposeAsync();
            await here.DisposeAsync();
            await there.DisposeAsync();
        }

        private static string[] Line(PrivateNetwork at, string[] options, string url, string range, string[] command) =>
            [.. at.RunBy, Machine.Nfs, "lock", .. options, url, range, "--", .. command];

        private string Url(string host, string name) => $"nfs://{host}:{server.Port}{server.Export}/{name}";
    }
}
