namespace Kworker.Tests;

/// <summary>How many items of a queue are at work at once, at the numbers that the models do not reach.</summary>
public sealed class MaxActiveTests : IDisposable
{
    private readonly KworkerSystem _system = new();
    private readonly Completion _entered = new();
    private readonly Completion _gate = new();
    private int _inside;

    public void Dispose() => _system.Dispose();

    [Theory, InlineData(false), InlineData(true)]
    public void By_default_256_async_items_are_at_work_and_each_that_ends_lets_one_more_in(bool unbound)
    {
        const int Items = 300, Most = WorkqueueOptions.DefaultMaxActive;
        Assert.Equal(256, Most);
        using var queue = new Workqueue("test", new WorkqueueOptions { Unbound = unbound }, _system);
        QueueMany(queue, Items);
        AwaitEntered(Most);
        AssertAtWork(queue, begun: Most, waiting: Items - Most);
        for (int begun = Most; begun < Items; begun++)
        {
            _gate.Complete();
            AwaitEntered(1);
            AssertAtWork(queue, begun: begun + 1, waiting: Items - begun - 1);
        }

        _gate.CompleteAll();
        queue.Flush();
    }

    [Theory, InlineData(false), InlineData(true)]
    public void With_the_largest_number_there_is_no_bound(bool unbound)
    {
        const int Items = 10_000;
        using var queue = new Workqueue("test", new WorkqueueOptions { MaxActive = int.MaxValue, Unbound = unbound }, _system);
        QueueMany(queue, Items);
        AwaitEntered(Items);
        AssertAtWork(queue, begun: Items, waiting: 0);
        _gate.CompleteAll();
        queue.Flush();
    }

    private void QueueMany(Workqueue queue, int items)
    {
        for (int i = 0; i < items; i++)
        {
            Assert.True(queue.Queue(new Work<MaxActiveTests>(this, static async (test, _) =>
            {
                Interlocked.Increment(ref test._inside);
                test._entered.Complete();
                await test._gate.WaitAsync();
            })));
        }
    }

    private void AwaitEntered(int items)
    {
        for (int i = 0; i < items; i++)
            Assert.True(_entered.Wait(TimeSpan.FromSeconds(90)), "it does not begin");
    }

    /// <summary>As many as have begun, and the queue knows no others that could: what would begin later by mistake is active by then.</summary>
    private void AssertAtWork(Workqueue queue, int begun, int waiting)
    {
        Assert.Equal(begun, Volatile.Read(ref _inside));
        WorkqueueSnapshot snapshot = Assert.Single(_system.Snapshot().Workqueues, each => each.Name == queue.Name);
        Assert.Equal(Math.Min(waiting, KworkerSystem.DefaultSnapshotItems), snapshot.Inactive.Count);
        Assert.Empty(snapshot.Pending);
    }
}
