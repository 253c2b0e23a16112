using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

public sealed class DisableTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly Workqueue _queue;
    private int _runs;

    public DisableTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _queue = new Workqueue("test", null, _system);
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void A_disabled_item_is_refused_until_it_is_enabled_as_often()
    {
        var work = new Work<object?>(null, _ => Interlocked.Increment(ref _runs));
        Assert.False(work.Disable());
        Assert.False(work.Disable());
        Assert.False(_queue.Queue(work));
        Assert.False(work.IsPending);
        Assert.False(work.Enable());
        Assert.False(_queue.Queue(work));
        Assert.True(work.Enable());
        Assert.True(_queue.Queue(work));
        work.Flush();
        Assert.Equal(1, _runs);
        Assert.Throws<InvalidOperationException>(() => work.Enable());
    }

    [Fact]
    public void Disabling_takes_back_what_is_pending_and_modify_does_not_queue_it()
    {
        var work = new DelayedWork<object?>(null, _ => Interlocked.Increment(ref _runs));
        Assert.True(_queue.Queue(work, TimeSpan.FromSeconds(1)));
        Assert.True(work.Disable());
        Assert.False(_queue.Modify(work, TimeSpan.FromSeconds(1)));
        Assert.False(_queue.Queue(work, TimeSpan.Zero));
        _time.Advance(TimeSpan.FromSeconds(10));
        _queue.Flush();
        Assert.Equal(0, _runs);
        Assert.True(work.Enable());
        Assert.False(_queue.Modify(work, TimeSpan.Zero));
        work.Flush();
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task Disable_sync_waits_for_the_run_and_the_run_cannot_queue_itself()
    {
        var entered = new Completion();
        var gate = new Completion();
        Work<object?>? work = null;
        bool queuedItself = true;
        work = new Work<object?>(null, _ =>
        {
            entered.Complete();
            gate.Wait();
            queuedItself = _queue.Queue(work!);
            Interlocked.Increment(ref _runs);
        });
        _queue.Queue(work);
        entered.Wait();
        ValueTask<bool> disabling = work.DisableSyncAsync();
        Assert.False(disabling.IsCompleted);
        gate.Complete();
        Assert.False(await disabling);
        Assert.Equal(1, _runs);
        Assert.False(queuedItself);
        Assert.Equal(WorkBusy.None, work.Busy);
        Assert.False(_queue.Queue(work));
        Assert.True(work.Enable());
    }

    [Fact]
    public void Disabling_cancels_the_token_of_an_async_run()
    {
        var entered = new Completion();
        var work = new Work<Completion>(entered, static async (entered, token) =>
        {
            entered.Complete();
            await new Completion().WaitAsync(token);
        });
        _queue.Queue(work);
        entered.Wait();
        Assert.False(work.Disable());
        work.Flush();
        Assert.Equal(WorkBusy.None, work.Busy);
    }

    [Fact]
    public void It_cannot_be_disabled_more_often_than_can_be_counted()
    {
        var work = new Work<object?>(null, static _ => { });
        for (int i = 0; i < 65_535; i++)
            work.Disable();
        Assert.Throws<InvalidOperationException>(() => work.Disable());
        Assert.False(work.IsPending);
        Assert.False(work.Enable());
    }
}
