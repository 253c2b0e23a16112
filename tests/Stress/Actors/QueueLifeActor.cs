namespace Kworker.Stress.Actors;

/// <summary>Queues that live for a moment: what was queued before dispose has run when it returns, and nothing is taken afterwards.</summary>
internal sealed class QueueLifeActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
    {
        while (IsOn)
            Live();
    }

    private void Live()
    {
        var options = new WorkqueueOptions { MaxActive = Random.Next(1, 20), Unbound = Chance(0.3) };
        var queue = new Workqueue(Name, options, World.System);
        World.Watch(queue, "short-lived queue");
        int ran = 0, chained = 0, expected = Random.Next(0, 60);
        for (int i = 0; i < expected; i++)
        {
            Work work = null!;
            bool chains = Chance(0.2), sleeps = Chance(0.05);
            int again = chains ? Random.Next(3) : 0;
            if (Chance(0.3))
            {
                work = new Work<object?>(null, async (_, _) =>
                {
                    await Task.Yield();
                    Interlocked.Increment(ref ran);
                });
            }
            else
            {
                work = new Work<object?>(null, _ =>
                {
                    Interlocked.Increment(ref ran);
                    if (sleeps)
                        Worker.Sleep(TimeSpan.FromMilliseconds(0.3));
                    // The queue may be draining: chained work is let in.
                    if (again-- > 0)
                    {
                        Interlocked.Increment(ref chained);
                        if (!queue.Queue(work))
                            Verdict.Fail($"{Name}: an item that queues itself was refused");
                    }
                });
            }

            if (!queue.Queue(work))
                Verdict.Fail($"{Name}: a new item was refused");
        }

        Doing($"dispose with {expected} items");
        if (Chance(0.5))
            queue.Dispose();
        else
            queue.DisposeAsync().AsTask().GetAwaiter().GetResult();
        int after = Volatile.Read(ref ran);
        if (after != expected + chained)
            Verdict.Fail($"{Name}: {expected} and {chained} items were queued, {after} have run when the queue is disposed of");
        try
        {
            queue.Queue(new Work<object?>(null, static _ => { }));
            Verdict.Fail($"{Name}: a queue that was disposed of takes an item");
        }
        catch (ObjectDisposedException)
        {
            Doing("disposed");
        }
    }
}
