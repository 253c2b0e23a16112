using Kworker.Lockd.Grace;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Lockd.Tests.Grace;

/// <summary>The time after a start in which locks may only be reclaimed.</summary>
public sealed class GracePeriodTests : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new();
    private readonly GraceManagers _managers = new();
    private KworkerSystem _system = null!;
    private Workqueue _queue = null!;
    private GracePeriod _period = null!;

    public ValueTask InitializeAsync()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _queue = new Workqueue("lockd", null, _system);
        _period = new GracePeriod(_managers, _queue, NullLogger.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _period.Close();
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task It_ends_when_its_time_is_over_and_not_before()
    {
        Assert.False(_managers.IsInGrace);
        _period.Set(GracePeriod.Default);
        Assert.True(_managers.IsInGrace);
        await PassAsync(49.9);
        Assert.True(_managers.IsInGrace);
        await PassAsync(0.2);
        Assert.False(_managers.IsInGrace);
    }

    [Fact]
    public async Task Set_again_it_begins_anew()
    {
        _period.Set(TimeSpan.FromSeconds(50));
        await PassAsync(40);
        _period.Set(TimeSpan.FromSeconds(50));
        await PassAsync(40);
        Assert.True(_managers.IsInGrace);
        _period.Set(TimeSpan.FromSeconds(5));
        await PassAsync(5.1);
        Assert.False(_managers.IsInGrace);
    }

    [Fact]
    public async Task Ended_early_it_is_over_and_can_be_set_again()
    {
        _period.Set(TimeSpan.FromSeconds(50));
        _period.End();
        Assert.False(_managers.IsInGrace);
        _period.Set(TimeSpan.FromSeconds(50));
        await PassAsync(20);
        Assert.True(_managers.IsInGrace);
    }

    [Fact]
    public void Closed_it_is_over_for_good()
    {
        _period.Set(TimeSpan.FromSeconds(50));
        _period.Close();
        Assert.False(_managers.IsInGrace);
        _period.Set(TimeSpan.FromSeconds(50));
        Assert.False(_managers.IsInGrace);
    }

    [Fact]
    public async Task Grace_lasts_as_long_as_any_of_its_managers_is_in_it()
    {
        object v4 = new();
        _period.Set(TimeSpan.FromSeconds(50));
        _managers.Start(v4);
        await PassAsync(50.1);
        Assert.True(_managers.IsInGrace);
        Assert.True(_managers.End(v4));
        Assert.False(_managers.End(v4));
        Assert.False(_managers.IsInGrace);
    }

    [Fact]
    public async Task However_often_it_is_set_at_the_same_time_it_holds_until_the_last_is_over()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => _period.Set(TimeSpan.FromSeconds(50)))));
        Assert.True(_managers.IsInGrace);
        await PassAsync(49.9);
        Assert.True(_managers.IsInGrace);
        await PassAsync(0.2);
        Assert.False(_managers.IsInGrace);
    }

    private async Task PassAsync(double seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        await _queue.FlushAsync(); // an end that was due has been queued by the timer, and has run
    }
}
