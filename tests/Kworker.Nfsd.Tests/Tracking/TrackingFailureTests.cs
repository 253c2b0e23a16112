using System.Text;
using Kworker.Nfsd.Tracking;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>Helpers that fail, die or hang: what is tried again, who waits for how long, and what the next start believes.</summary>
public sealed class TrackingFailureTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly HelperScript _script = new();
    private readonly LogLines _log = new();
    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UnixEpoch.AddYears(60));
    private readonly KworkerSystem _system;

    public TrackingFailureTests() => _system = new KworkerSystem(new KworkerSystemOptions
    {
        TimeProvider = _clock,
        // Hours pass here in no time.
        PoolStallLimit = Timeout.InfiniteTimeSpan,
        LongItemLimit = Timeout.InfiniteTimeSpan,
        HungTaskLimit = Timeout.InfiniteTimeSpan,
    });

    public void Dispose()
    {
        _system.Dispose();
        _script.Dispose();
    }

    [Theory]
    [InlineData("remove", false)]
    [InlineData("remove", true)]
    [InlineData("gracedone", false)]
    [InlineData("gracedone", true)]
    public async Task What_could_not_be_taken_out_is_taken_out_later_and_the_record_is_believed_again(string failing, bool dies)
    {
        Fail(failing, dies);
        TrackedClient client = Client("gone");
        await using (UmhClientTracking tracking = await StartAsync())
        {
            await tracking.CreateAsync(client);
            Assert.Equal(TrackingResult.NotRecorded, failing == "remove" ? await tracking.RemoveAsync(client) : await tracking.GraceDoneAsync());
            Assert.False(IsBelieved);
            // It fails some times more, with no further warning.
            while (_script.Given.Count < 6)
                await PassAsync(TimeSpan.FromSeconds(1));
            Assert.False(IsBelieved);
            Assert.Single(_log.Of(LogLevel.Warning));
            Mend(failing);
            while (!IsBelieved)
                await PassAsync(TimeSpan.FromSeconds(1));
            while (!_log.All.Contains("The record of NFSv4 clients is as it should be again"))
                await Task.Yield();
            int calls = _script.Given.Count;
            await PassAsync(TimeSpan.FromHours(1));
            Assert.Equal(calls, _script.Given.Count);
        }
        await using (UmhClientTracking tracking = Make())
            Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
        Assert.StartsWith($"init create {failing} {failing}", _script.Commands, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pauses_between_the_attempts_grow_up_to_a_limit()
    {
        var trust = new TrackingTrust(_script.In("trust"), _clock, _log);
        await using var queue = new Workqueue("attempts", system: _system);
        var options = new UmhTrackingOptions { TrustFile = "", System = _system, MaxRetryDelay = TimeSpan.FromSeconds(10) };
        DateTimeOffset start = _clock.GetUtcNow();
        List<double> attempts = [];
        var debts = new TrackingDebts(trust, queue, options, _log, () =>
        {
            attempts.Add((_clock.GetUtcNow() - start).TotalSeconds);
            return ValueTask.CompletedTask;
        });
        debts.OweGraceDone();
        for (int second = 0; second < 40; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            await queue.FlushAsync();
        }
        Assert.Equal([1, 3, 7, 15, 25, 35], attempts);
        debts.PayGraceDone();
        _clock.Advance(TimeSpan.FromHours(1));
        await queue.FlushAsync();
        await debts.DisposeAsync();
        Assert.True(IsBelieved);
    }

    [Fact]
    public async Task What_is_not_taken_out_before_the_end_is_tried_once_more_then()
    {
        _script.EndWith("remove", 1);
        await using (UmhClientTracking tracking = await StartAsync())
        {
            TrackedClient client = Client("gone");
            await tracking.CreateAsync(client);
            await tracking.RemoveAsync(client);
            _script.EndWith("remove", null);
        }
        Assert.True(IsBelieved);
        Assert.Equal("init create remove remove", _script.Commands);
    }

    [Fact]
    public async Task Who_comes_back_under_the_name_makes_good_that_its_former_self_is_in_the_record()
    {
        _script.EndWith("remove", 1);
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient before = Client("one"), after = Client("one");
        await tracking.CreateAsync(before);
        await tracking.RemoveAsync(before);
        Assert.False(IsBelieved);
        Assert.Equal(TrackingResult.NotRecorded, await tracking.CheckAsync(after)); // what the record says is not of it
        Assert.Equal(TrackingResult.Recorded, await tracking.CreateAsync(after));
        Assert.True(IsBelieved);
        await PassAsync(TimeSpan.FromHours(1));
        Assert.Equal("init create remove create", _script.Commands);
    }

    [Fact]
    public async Task Who_may_have_been_recorded_by_a_helper_that_died_is_removed()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient client = Client("perhaps");
        _script.Die("create");
        Assert.Equal(TrackingResult.NotRecorded, await tracking.CreateAsync(client));
        Assert.Contains("was killed by signal 9", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Equal(TrackingResult.Recorded, await tracking.RemoveAsync(client));
        Assert.Equal("init create remove", _script.Commands);
    }

    [Fact]
    public async Task A_client_whose_helper_hangs_is_served_without_record_and_recorded_when_it_ends_after_all()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient client = Client("slow");
        _script.Hold("create", client.HexId);
        Assert.Equal(TrackingResult.NotRecorded, await LateAsync(tracking.CreateAsync(client), "create"));
        Assert.Contains("create has not answered for 30 s", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        _script.Release();
        while (!client.IsRecorded)
            await Task.Yield();
        Assert.True(IsBelieved);
    }

    [Fact]
    public async Task A_remove_behind_a_create_that_hangs_gives_the_locks_free_and_no_trust_to_the_record_until_both_are_done()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient client = Client("slow");
        _script.Hold("create", client.HexId);
        Assert.Equal(TrackingResult.NotRecorded, await LateAsync(tracking.CreateAsync(client), "create"));
        Assert.Equal(TrackingResult.NotRecorded, await LateAsync(tracking.RemoveAsync(client), "create"));
        Assert.False(IsBelieved);
        _script.Release();
        while (!IsBelieved)
            await PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("init create remove", _script.Commands);
        Assert.False(client.IsRecorded);
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("gracedone")]
    public async Task What_hangs_while_it_takes_out_counts_as_still_in_until_it_ends(string command)
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient client = Client("gone");
        await tracking.CreateAsync(client);
        _script.Hold(command, command == "remove" ? client.HexId : $"{_clock.GetUtcNow().ToUnixTimeSeconds()}");
        ValueTask<TrackingResult> asked = command == "remove" ? tracking.RemoveAsync(client) : tracking.GraceDoneAsync();
        Assert.Equal(TrackingResult.NotRecorded, await LateAsync(asked, command));
        Assert.False(IsBelieved);
        _script.Release();
        while (!IsBelieved)
            await PassAsync(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_check_that_hangs_has_the_client_ask_again_and_is_not_made_twice()
    {
        await using UmhClientTracking tracking = await StartAsync();
        TrackedClient client = Client("slow");
        _script.Hold("check", client.HexId);
        Assert.Equal(TrackingResult.Slow, await LateAsync(tracking.CheckAsync(client), "check"));
        ValueTask<TrackingResult> again = tracking.CheckAsync(client);
        Assert.Equal(TrackingResult.Slow, await LateAsync(again, "check"));
        _script.Release();
        Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(client));
        Assert.Equal("init check", _script.Commands);
    }

    [Fact]
    public async Task Helpers_that_hang_do_not_keep_those_of_other_clients_from_running()
    {
        await using UmhClientTracking tracking = await StartAsync(maxActive: 2);
        TrackedClient[] hung = [Client("hung 1"), Client("hung 2"), Client("hung 3")];
        _script.HoldAll();
        Task<TrackingResult[]> creates = Task.WhenAll(hung.Select(client => tracking.CreateAsync(client).AsTask()));
        while (!creates.IsCompleted)
            await PassAsync(s_patience);
        Assert.All(await creates, result => Assert.Equal(TrackingResult.NotRecorded, result));
        while (_script.Given.Count < 4)
            await PassAsync(s_patience); // the third's helper starts when a place is free again
        _script.HoldNoMore();
        Assert.Equal(TrackingResult.Recorded, await tracking.CreateAsync(Client("other")));
        Assert.All(hung, client => Assert.False(client.IsRecorded));
        _script.ReleaseAll();
        while (!hung.All(client => client.IsRecorded))
            await Task.Yield();
    }

    [Fact]
    public async Task A_helper_that_hangs_at_the_start_is_no_reason_not_to_serve()
    {
        _script.Hold("init", "");
        await using UmhClientTracking tracking = Make();
        Assert.Equal(TrackingStart.Off, await LateAsync(tracking.InitAsync(), "init"));
        Assert.Contains("init has not answered for 30 s", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.False(IsBelieved);
        _script.Release();
        string heard = _script.In("trust.heard");
        while (!File.Exists(heard) || File.GetLastWriteTimeUtc(heard) != _clock.GetUtcNow().UtcDateTime)
            await Task.Yield();
        _clock.Advance(TimeSpan.FromSeconds(1)); // not within the second of the last entry
        Assert.True(await tracking.ResumeAsync());
        Assert.True(IsBelieved);
    }

    private bool IsBelieved => File.ReadAllText(_script.In("trust")) == "b";

    private static TrackedClient Client(string name) => new(Encoding.UTF8.GetBytes(name), hasSession: true);

    private void Fail(string command, bool dies)
    {
        if (dies)
            _script.Die(command);
        else
            _script.EndWith(command, 5);
    }

    private void Mend(string command)
    {
        _script.Die(command, dies: false);
        _script.EndWith(command, null);
    }

    /// <summary>Lets time pass, and what that sets off begin.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        _clock.Advance(time);
        await Task.Yield();
    }

    /// <summary>The result of what waits for a helper that hangs, when that has been waited for long enough.</summary>
    private async Task<T> LateAsync<T>(ValueTask<T> asked, string command)
    {
        Task<T> late = asked.AsTask();
        while (!_script.Commands.EndsWith(command, StringComparison.Ordinal))
            await Task.Yield();
        Assert.False(late.IsCompleted);
        while (!late.IsCompleted)
            await PassAsync(s_patience);
        return await late;
    }

    private UmhClientTracking Make(int maxActive = 8) => new(
        new UmhTrackingOptions { Program = _script.Path, TrustFile = _script.In("trust"), System = _system, Patience = s_patience, MaxActive = maxActive }, _log);

    private async Task<UmhClientTracking> StartAsync(int maxActive = 8)
    {
        UmhClientTracking tracking = Make(maxActive);
        Assert.Equal(TrackingStart.Somebody, await tracking.InitAsync());
        return tracking;
    }
}
