using Kworker.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Hosting.Tests.Testing;

/// <summary>What tests of user code take to move the clock.</summary>
public sealed class FakeTimeExtensionsTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly Workqueue _queue;
    private readonly List<double> _ran = [];
    private readonly DateTimeOffset _start;

    public FakeTimeExtensionsTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _queue = new Workqueue("test", new WorkqueueOptions { Ordered = true }, _system);
        _start = _time.GetUtcNow();
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    /// <summary>Plans itself anew so many times.</summary>
    private DelayedWork Repeated(TimeSpan interval, int times)
    {
        DelayedWork? work = null;
        work = new DelayedWork<object?>(null, _ =>
        {
            _ran.Add((_time.GetUtcNow() - _start).TotalSeconds);
            if (--times > 0)
                _queue.Queue(work!, interval);
        });
        return work;
    }

    [Fact]
    public async Task What_plans_itself_anew_runs_each_time()
    {
        _queue.Queue(Repeated(TimeSpan.FromSeconds(5), times: int.MaxValue), TimeSpan.FromSeconds(5));
        await _system.AdvanceAsync(_time, TimeSpan.FromSeconds(22));
        Assert.Equal([5, 10, 15, 20], _ran);
        Assert.Equal(22, (_time.GetUtcNow() - _start).TotalSeconds);
        await _system.AdvanceAsync(_time, TimeSpan.FromSeconds(3));
        Assert.Equal([5, 10, 15, 20, 25], _ran);
        TimeoutException e = await Assert.ThrowsAsync<TimeoutException>(() => _system.AdvanceUntilIdleAsync(_time, TimeSpan.FromSeconds(7)).AsTask());
        Assert.Contains(nameof(FakeTimeExtensionsTests), e.Message, StringComparison.Ordinal);
        Assert.Equal(6, _ran.Count);
    }

    [Fact]
    public async Task It_ends_when_nothing_is_left()
    {
        _queue.Queue(Repeated(TimeSpan.FromMinutes(1), times: 3), TimeSpan.FromMilliseconds(0.3)); // less than the timers' grain
        _queue.Queue(Repeated(TimeSpan.Zero, times: 2), TimeSpan.FromMinutes(1.5));
        TimeSpan took = await _system.AdvanceUntilIdleAsync(_time, TimeSpan.FromDays(1));
        Assert.Equal(5, _ran.Count);
        Assert.InRange(took, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2.01));
        Assert.Equal(TimeSpan.Zero, await _system.AdvanceUntilIdleAsync(_time, TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task What_is_due_now_runs_at_once_and_another_clock_is_refused()
    {
        _queue.Queue(Repeated(TimeSpan.FromSeconds(1), times: 1));
        await _system.AdvanceAsync(_time, TimeSpan.Zero);
        Assert.Equal([0], _ran);
        await Assert.ThrowsAsync<ArgumentException>(() => _system.AdvanceAsync(new FakeTimeProvider(), TimeSpan.Zero).AsTask());
    }
}
