using System.Text;
using Kworker.Nfsd.Tests.V3;
using Kworker.Nfsd.Tracking;
using Microsoft.Extensions.Logging;

namespace Kworker.Nfsd.Tests.Tracking;

/// <summary>Lives of the server with our own helper and its database: who may reclaim, and when all have.</summary>
public sealed class OwnRecordTests : IDisposable
{
    private static readonly string s_program = Path.Combine(AppContext.BaseDirectory, TrackingProgram.Name);

    private readonly TemporaryDirectory _directory = new();
    private readonly LogLines _log = new();
    private readonly KworkerSystem _system = new(new KworkerSystemOptions());
    private int _allReclaimed; // interlocked

    public void Dispose()
    {
        _system.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public async Task Grace_may_end_when_all_clients_with_sessions_have_reclaimed()
    {
        await LifeAsync(TrackingStart.Nobody, async tracking =>
        {
            await tracking.CreateAsync(Client("one"));
            await tracking.CreateAsync(Client("two"));
        });
        Assert.Equal(0, _allReclaimed);
        await LifeAsync(TrackingStart.Somebody, async tracking =>
        {
            TrackedClient one = Client("one"), two = Client("two");
            Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(one));
            await tracking.CreateAsync(one);
            Assert.Equal(0, _allReclaimed);
            Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(two));
            Assert.Equal(0, _allReclaimed);
            await tracking.CreateAsync(two);
            Assert.Equal(1, _allReclaimed);
        });
    }

    [Fact]
    public async Task Who_does_not_come_back_in_one_grace_may_not_in_the_next()
    {
        // RFC 7530, 9.6.3.4, second case: the client is cut off over two restarts, and another has had its lock in between.
        await LifeAsync(TrackingStart.Nobody, async tracking =>
        {
            await tracking.CreateAsync(Client("cut off"));
            await tracking.CreateAsync(Client("there", hasSession: false));
        });
        await LifeAsync(TrackingStart.Somebody, async tracking =>
        {
            Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(Client("there", hasSession: false)));
            await tracking.GraceDoneAsync();
        });
        await LifeAsync(TrackingStart.Somebody, async tracking =>
        {
            Assert.Equal(TrackingResult.NotRecorded, await tracking.CheckAsync(Client("cut off")));
            Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(Client("there", hasSession: false)));
        });
    }

    [Fact]
    public async Task Who_lost_its_lease_may_not_reclaim()
    {
        // RFC 7530, 9.6.3.4, first case: the lease ends, another gets the lock and gives it up, the server restarts.
        await LifeAsync(TrackingStart.Nobody, async tracking =>
        {
            TrackedClient client = Client("cut off");
            await tracking.CreateAsync(client);
            Assert.Equal(TrackingResult.Recorded, await tracking.RemoveAsync(client));
            await tracking.CreateAsync(Client("other"));
        });
        await LifeAsync(
            TrackingStart.Somebody,
            async tracking => Assert.Equal(TrackingResult.NotRecorded, await tracking.CheckAsync(Client("cut off"))));
    }

    [Fact]
    public async Task A_second_death_in_grace_takes_nothing_from_who_has_not_come_back_yet()
    {
        await LifeAsync(TrackingStart.Nobody, tracking => tracking.CreateAsync(Client("late")).AsTask());
        await LifeAsync(TrackingStart.Somebody, static _ => Task.CompletedTask);
        await LifeAsync(
            TrackingStart.Somebody,
            async tracking => Assert.Equal(TrackingResult.Recorded, await tracking.CheckAsync(Client("late"))));
    }

    [Fact]
    public async Task A_damaged_database_serves_without_record()
    {
        Directory.CreateDirectory(Storage);
        await File.WriteAllTextAsync(Path.Combine(Storage, "main.sqlite"), "this was a database once upon a time");
        await LifeAsync(TrackingStart.Off, async tracking => Assert.Equal(TrackingResult.Off, await tracking.CheckAsync(Client("one"))));
        Assert.Contains("not a database", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
    }

    private string Storage => Path.Combine(_directory.Path, "nfsdcltrack");

    private static TrackedClient Client(string name, bool hasSession = true) => new(Encoding.UTF8.GetBytes(name), hasSession);

    private async Task LifeAsync(TrackingStart start, Func<UmhClientTracking, Task> life)
    {
        await using var tracking = new UmhClientTracking(
            new UmhTrackingOptions
            {
                Program = s_program,
                StorageDirectory = Storage,
                RecoveryDirectory = Path.Combine(_directory.Path, "v4recovery"),
                TrustFile = Path.Combine(_directory.Path, "trust"),
                System = _system,
            },
            _log)
        {
            AllReclaimed = () => Interlocked.Increment(ref _allReclaimed),
        };
        Assert.Equal(start, await tracking.InitAsync());
        await life(tracking);
    }
}
