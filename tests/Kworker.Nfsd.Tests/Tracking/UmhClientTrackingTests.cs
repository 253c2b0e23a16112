using System.Text;
using Kworker.Nfsd.Tracking;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>When the helper is slow, fails, is away and comes back; with a helper that says whatever the test wants.</summary>
public sealed class UmhClientTrackingTests : IDisposable
{
    private readonly HelperScript _script = new();
    private readonly LogLines _log = new();
    private readonly KworkerSystem _system = new(new KworkerSystemOptions());

    public void Dispose()
    {
        _system.Dispose();
        _script.Dispose();
    }

    [Fact]
    public async Task A_client_whose_helper_is_slow_holds_up_no_other()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient slow = Client("slow");
        _script.Hold("create", slow.HexId);
        ValueTask<TrackingResult> create = tracking.CreateAsync(slow);
        await CalledAsync("create");
        Assert.Equal(TrackingResult.Recorded, await tracking.CreateAsync(Client("other")));
        Assert.False(create.IsCompleted);
        _script.Release();
        Assert.Equal(TrackingResult.Recorded, await create);
    }

    [Fact]
    public async Task Calls_for_one_name_keep_their_order()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient before = Client("one"), after = Client("one");
        await tracking.CreateAsync(before);
        _script.Hold("remove", before.HexId);
        ValueTask<TrackingResult> remove = tracking.RemoveAsync(before);
        await CalledAsync("remove");
        ValueTask<TrackingResult> create = tracking.CreateAsync(after);
        _script.Release();
        await remove;
        await create;
        Assert.Equal("init create remove create", _script.Commands);
        Assert.True(after.IsRecorded && !before.IsRecorded);
    }

    [Fact]
    public async Task Who_was_never_recorded_is_removed_without_a_call()
    {
        await using UmhClientTracking tracking = await StartAsync();
        Assert.Equal(TrackingResult.Recorded, await tracking.RemoveAsync(Client("never")));
        Assert.Equal("init", _script.Commands);
    }

    [Fact]
    public async Task A_program_that_goes_away_is_warned_of_once_and_turned_on_again_while_the_server_runs()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient[] clients = [.. Enumerable.Range(0, 10).Select(number => Client($"client {number}"))];
        tracking.ActiveClients = () => clients;
        File.Move(_script.Path, _script.In("away"));
        TrackingResult[] results = await Task.WhenAll(clients.Select(client => tracking.CreateAsync(client).AsTask()));
        Assert.All(results, result => Assert.Equal(TrackingResult.Off, result));
        Assert.Equal(TrackingResult.Off, await tracking.CreateAsync(clients[0]));

        string warning = Assert.Single(_log.Of(LogLevel.Warning));
        Assert.Contains(_script.Path, warning, StringComparison.Ordinal);
        Assert.Contains("No such file", warning, StringComparison.Ordinal);
        Assert.Contains("nfsd4_umh_cltrack_upcall: cltrack_prog is disabled", _log.All);

        Assert.False(await ResumedWhileAwayAsync(tracking, clients));
        File.Move(_script.In("away"), _script.Path);
        Assert.True(await tracking.ResumeAsync());
        Assert.All(clients, client => Assert.True(client.IsRecorded));
        // Nobody left the record while it was off: it is as it should be, and goes on.
        Assert.Equal($"init{string.Concat(Enumerable.Repeat(" create", 10))}", _script.Commands);
    }

    [Fact]
    public async Task A_program_that_may_not_be_executed_is_as_good_as_none()
    {
        File.SetUnixFileMode(_script.Path, UnixFileMode.UserRead);
        await using UmhClientTracking tracking = Make();
        Assert.Equal(TrackingStart.Off, await tracking.InitAsync());
        Assert.Contains("ermission denied", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("guess")));
    }

    [Fact]
    public async Task When_init_fails_nobody_is_let_reclaim_nor_after_the_next_start()
    {
        _script.EndWith("init", 243);
        await using (UmhClientTracking tracking = Make())
        {
            Assert.Equal(TrackingStart.Off, await tracking.InitAsync());
            Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("guess")));
            Assert.Equal(TrackingResult.Off, await tracking.CreateAsync(Client("new")));
            Assert.Contains("init exited with 243", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        }
        // What the record says now is of two lives ago; others may have had the locks since.
        _script.EndWith("init", null);
        await using (UmhClientTracking tracking = Make())
        {
            Assert.Equal(TrackingStart.Nobody, await tracking.InitAsync());
            Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("guess")));
            Assert.Equal(TrackingResult.Recorded, await tracking.CreateAsync(Client("new")));
        }
        Assert.Equal("init init gracedone create", _script.Commands);
        await using (UmhClientTracking tracking = Make())
            Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
    }

    [Fact]
    public async Task A_failed_init_is_made_good_while_the_server_runs()
    {
        _script.EndWith("init", 1);
        TrackedClient[] clients = [Client("one"), Client("two")];
        await using (UmhClientTracking tracking = Make())
        {
            tracking.ActiveClients = () => clients;
            await tracking.InitAsync();
            await tracking.CreateAsync(clients[0]);
            _script.EndWith("init", null);
            Assert.True(await tracking.ResumeAsync());
            Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("guess")));
        }
        Assert.Equal("init init gracedone create create", _script.Commands);
        await using (UmhClientTracking tracking = Make())
            Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("gracedone")]
    public async Task A_record_that_says_too_much_is_not_believed(string failing)
    {
        _script.EndWith(failing, 5);
        await using (UmhClientTracking tracking = await StartAsync())
        {
            TrackedClient client = Client("expired");
            await tracking.CreateAsync(client);
            Assert.Equal(TrackingResult.NotRecorded, failing == "remove" ? await tracking.RemoveAsync(client) : await tracking.GraceDoneAsync());
            Assert.Contains("exited with 5", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        }
        _script.EndWith(failing, null);
        await using (UmhClientTracking tracking = Make())
        {
            Assert.Equal(TrackingStart.Nobody, await tracking.InitAsync());
            Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("expired")));
        }
        Assert.EndsWith("init gracedone", _script.Commands, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_gone_is_not_recorded_when_the_record_is_turned_on_again()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient gone = Client("gone"), there = Client("there");
        await tracking.CreateAsync(gone);
        await tracking.CreateAsync(there);
        tracking.ActiveClients = () => [gone, there]; // as of a moment ago
        File.Move(_script.Path, _script.In("away"));
        Assert.Equal(TrackingResult.Off, await tracking.RemoveAsync(gone));
        File.Move(_script.In("away"), _script.Path);
        Assert.True(await tracking.ResumeAsync());
        Assert.Equal("init create create init gracedone create", _script.Commands);
        Assert.Contains($"arg: {there.HexId}\n", _script.Given[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_check_that_fails_lets_nobody_reclaim_and_says_what_the_helper_said()
    {
        _script.EndWith("check", 255);
        await using UmhClientTracking tracking = Make(_script.In("storage"));
        await tracking.InitAsync();
        Assert.Equal(TrackingResult.NotRecorded, await tracking.CheckAsync(Client("stranger\n\u00e9")));
        string warning = Assert.Single(_log.Of(LogLevel.Warning));
        Assert.Contains("stranger??? may not reclaim", warning, StringComparison.Ordinal);
        Assert.Contains("exited with 255 (said by check)", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_waits_for_a_helper_that_has_outlived_its_server()
    {
        string storage = _script.In("storage");
        await using UmhClientTracking killed = Make(storage);
        await killed.InitAsync();
        TrackedClient client = Client("in the middle");
        _script.Hold("create", client.HexId);
        ValueTask<TrackingResult> create = killed.CreateAsync(client);
        await CalledAsync("create");

        await using UmhClientTracking next = Make(storage);
        Task<TrackingStart> init = next.InitAsync().AsTask();
        while (!_log.All.Any(line => line.Contains("waiting for its end", StringComparison.Ordinal)))
        {
            Assert.False(init.IsCompleted);
            await Task.Yield();
        }
        Assert.Equal("init create", _script.Commands);
        _script.Release();
        await init;
        await create;
        Assert.Equal("init create init", _script.Commands);
    }

    [Fact]
    public async Task A_start_in_the_second_of_the_last_entry_waits_for_the_next_though_the_clock_goes_on_meanwhile()
    {
        var clock = new GoingClock { Step = TimeSpan.FromMilliseconds(300) };
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = clock });
        string trust = _script.In("trust");
        File.WriteAllText(trust + ".heard", "");
        foreach (int millisecond in (int[])[750, 950])
        {
            clock.Now = DateTimeOffset.UnixEpoch.AddSeconds(1_000_000).AddMilliseconds(millisecond);
            File.SetLastWriteTimeUtc(trust + ".heard", DateTimeOffset.UnixEpoch.AddSeconds(1_000_000).UtcDateTime);
            await using var tracking = new UmhClientTracking(new UmhTrackingOptions { Program = _script.Path, TrustFile = trust, System = system }, _log);
            Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
            Assert.Contains("NFSDCLTRACK_GRACE_START=1000001", _script.Given[^1], StringComparison.Ordinal);
        }
    }

    private static async Task<bool> ResumedWhileAwayAsync(UmhClientTracking tracking, TrackedClient[] clients)
    {
        bool isOn = await tracking.ResumeAsync();
        Assert.All(clients, client => Assert.False(client.IsRecorded));
        return isOn;
    }

    private static TrackedClient Client(string name) => new(Encoding.UTF8.GetBytes(name), hasSession: true);

    private UmhClientTracking Make(string? storage = null) => new(
        new UmhTrackingOptions { Program = _script.Path, StorageDirectory = storage, TrustFile = _script.In("trust"), System = _system }, _log);

    private async Task<UmhClientTracking> StartAsync()
    {
        UmhClientTracking tracking = Make();
        Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
        return tracking;
    }

    private async Task CalledAsync(string command)
    {
        while (!_script.Commands.EndsWith(command, StringComparison.Ordinal))
            await Task.Yield();
    }

    /// <summary>A clock that goes on by a step whenever the time is asked for; timers are the system's.</summary>
    private sealed class GoingClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public TimeSpan Step { get; init; }

        public override DateTimeOffset GetUtcNow()
        {
            DateTimeOffset now = Now;
            Now += Step;
            return now;
        }
    }
}
