using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>An ordered queue runs one item at a time, in the order in which they came into it.</summary>
public sealed class OrderedWorkqueueTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly Workqueue _queue;
    private readonly Completion _gate = new();
    private readonly List<int> _ran = []; // by one item at a time

    public OrderedWorkqueueTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _queue = Workqueue.Ordered("ordered", _system);
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public void Items_run_in_the_order_of_queueing()
    {
        CloseGate();
        int[] order = [.. Enumerable.Range(0, 1000)];
        foreach (int number in order)
            _queue.Queue(new Work<int>(number, _ran.Add));

        _gate.Complete();
        _queue.Flush();

        Assert.Equal(order, _ran);
    }

    [Fact]
    public void Delayed_items_run_in_the_order_of_their_times()
    {
        CloseGate();
        _queue.Queue(new DelayedWork<int>(60, _ran.Add), TimeSpan.FromMilliseconds(60));
        _queue.Queue(new DelayedWork<int>(20, _ran.Add), TimeSpan.FromMilliseconds(20));
        _queue.Queue(new DelayedWork<int>(40, _ran.Add), TimeSpan.FromMilliseconds(40));

        _time.Advance(TimeSpan.FromMilliseconds(100)); // all at once: what fires late must not lose its place
        _gate.Complete();
        _queue.Flush();

        Assert.Equal([20, 40, 60], _ran);
    }

    [Fact]
    public void An_item_that_is_cancelled_leaves_the_others_in_their_order()
    {
        CloseGate();
        Work<int>[] works = [.. Enumerable.Range(0, 10).Select(number => new Work<int>(number, _ran.Add))];
        foreach (var work in works)
            _queue.Queue(work);
        Assert.True(works[0].Cancel());
        Assert.True(works[4].Cancel());
        Assert.True(works[9].CancelSync());
        _queue.Queue(works[0]);

        _gate.Complete();
        _queue.Flush();

        Assert.Equal([1, 2, 3, 5, 6, 7, 8, 0], _ran);
    }

    private void CloseGate() => _queue.Queue(new Work<Completion>(_gate, static gate => gate.Wait()));
}
