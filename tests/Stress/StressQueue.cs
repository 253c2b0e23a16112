namespace Kworker.Stress;

/// <summary>A queue of a world: counts what runs on it and what leaves its functions.</summary>
internal sealed class StressQueue
{
    private readonly World _world;
    private readonly int _maxActive;
    private int _active;

    internal StressQueue(World world, int rank, Random random)
    {
        _world = world;
        Rank = rank;
        bool isOrdered = random.Next(6) == 0, isUnbound = !isOrdered && random.Next(4) == 0;
        _maxActive = isOrdered ? 1 : random.Next(3) switch { 0 => random.Next(1, 4), 1 => random.Next(4, 40), _ => WorkqueueOptions.DefaultMaxActive };
        Queue = new Workqueue(
            $"st/{rank}",
            new WorkqueueOptions
            {
                MaxActive = _maxActive,
                Ordered = isOrdered,
                Unbound = isUnbound,
                HighPriority = !isOrdered && !isUnbound && random.Next(4) == 0,
                CpuIntensive = !isOrdered && !isUnbound && random.Next(5) == 0,
                MemReclaim = random.Next(4) == 0,
            },
            world.System);
        Queue.UnhandledException += (_, e) => world.Reported(e);
        world.Watch(Queue, $"queue {rank}");
    }

    internal Workqueue Queue { get; }

    /// <summary>Work of a queue waits only for work of queues of higher rank: so no cycle comes about, and none may be reported.</summary>
    internal int Rank { get; }

    internal void BeginRun()
    {
        int active = Interlocked.Increment(ref _active);
        _world.Verdict.Check(active <= _maxActive, (active, this), static s => $"{s.Item2.Queue.Name}: {s.active} at once, at most {s.Item2._maxActive} are allowed");
    }

    internal void EndRun() => Interlocked.Decrement(ref _active);
}
