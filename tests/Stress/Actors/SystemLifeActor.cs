namespace Kworker.Stress.Actors;

/// <summary>Whole systems that live for a moment.</summary>
internal sealed class SystemLifeActor(World world, string name, int seed) : Actor(world, name, seed)
{
    protected override void Act()
    {
        while (IsOn)
        {
            Live();
            World.Gossip.Wait(UpTo(20));
        }
    }

    private void Live()
    {
        Doing("make a system");
        var system = new KworkerSystem(new KworkerSystemOptions { Log = text => Verdict.Fail($"{Name}: logged: {text}") });
        World.Watch(system, "short-lived system");
        int ran = 0, delayedRan = 0, expected = Random.Next(50), delayed = Random.Next(20);
        bool isOver = false;
        var queue = new Workqueue(Name, null, system);
        var pending = new List<DelayedWork>();
        for (int i = 0; i < expected; i++)
        {
            queue.Queue(new Work<object?>(null, _ =>
            {
                Interlocked.Increment(ref ran);
                if (Volatile.Read(ref isOver))
                    Verdict.Fail($"{Name}: an item runs after its system was disposed of");
            }));
        }

        for (int i = 0; i < delayed; i++)
        {
            var work = new DelayedWork<object?>(null, _ => Interlocked.Increment(ref delayedRan));
            queue.Queue(work, TimeSpan.FromSeconds(1000));
            pending.Add(work);
        }

        // Some are left to their timers, which the end of the system ends.
        bool cancels = Chance(0.5);
        foreach (DelayedWork work in pending)
        {
            if (cancels && !work.CancelSync())
                Verdict.Fail($"{Name}: a delayed item was not pending");
        }

        Doing("dispose of a system");
        if (Chance(0.5))
            system.Dispose();
        else
            system.DisposeAsync().AsTask().GetAwaiter().GetResult();
        Volatile.Write(ref isOver, true);
        Doing("wait for the threads of a system");
        if (Leaks.WaitUntilEmpty(system) is { } left)
            Verdict.Fail($"{Name}: {left}");
        if (ran != expected)
            Verdict.Fail($"{Name}: {expected} items were queued, {ran} have run when the system is disposed of");
        if (delayedRan != 0)
            Verdict.Fail($"{Name}: a delayed item ran early");
    }
}
