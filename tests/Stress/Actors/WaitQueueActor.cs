namespace Kworker.Stress.Actors;

/// <summary>
/// A store that some fill and others empty, exclusive waiters and not, with and without limits: nobody sleeps while there is something for him, and what one's condition
/// took he has.
/// </summary>
internal sealed class WaitQueueActor(World world, string name, int seed) : Actor(world, name, seed)
{
    private readonly WaitQueue _filled = new();
    private readonly WaitQueue _emptied = new();
    private readonly int _room = 8;
    private int _count;
    private int _took;
    private int _had;
    private int _put;

    protected override void Act()
    {
        World.Watch(_filled, "wait queue of a store");
        while (IsOn)
        {
            int rounds = Random.Next(1, 400), consumers = Random.Next(1, 4), producers = Random.Next(1, 3);
            Doing($"{producers} fill and {consumers} empty {rounds} times");
            var threads = new List<Thread>();
            var tasks = new List<Task>();
            for (int i = 0; i < producers; i++)
                Start(threads, tasks, random => Fill(random, rounds * consumers), random => FillAsync(random, rounds * consumers));
            for (int i = 0; i < consumers; i++)
                Start(threads, tasks, random => Empty(random, rounds * producers), random => EmptyAsync(random, rounds * producers));
            threads.ForEach(static thread => thread.Join());
            Task.WaitAll([.. tasks]);
            if (_count != 0 || _took != _had || _put != _had)
                Verdict.Fail($"{Name}: {_put} put in, {_took} taken, {_had} had, {_count} left");
            if (_filled.IsActive || _emptied.IsActive)
                Verdict.Fail($"{Name}: somebody stands in line when nobody waits");
        }
    }

    private void Start(List<Thread> threads, List<Task> tasks, Action<Random> run, Func<Random, Task> runAsync)
    {
        var random = new Random(Random.Next());
        if (Chance(0.5))
        {
            tasks.Add(Task.Run(() => runAsync(random)));
            return;
        }

        var thread = new Thread(() =>
        {
            try
            {
                run(random);
            }
            catch (Exception e)
            {
                Verdict.Fail($"{Name}: {e}");
            }
        })
        { IsBackground = true, Name = "st/store" };
        threads.Add(thread);
        thread.Start();
    }

    private bool TryTake()
    {
        if (!TryAdd(-1, 0, _room))
            return false;
        Interlocked.Increment(ref _took);
        return true;
    }

    private bool TryPut() => TryAdd(1, 0, _room);

    private bool TryAdd(int change, int least, int most)
    {
        int count = Volatile.Read(ref _count);
        while (count + change >= least && count + change <= most)
        {
            int seen = Interlocked.CompareExchange(ref _count, count + change, count);
            if (seen == count)
                return true;
            count = seen;
        }

        return false;
    }

    private void Had()
    {
        Interlocked.Increment(ref _had);
        _emptied.WakeUp();
    }

    private void Put()
    {
        Interlocked.Increment(ref _put);
        _filled.WakeUp();
    }

    private void Fill(Random random, int times)
    {
        for (int i = 0; i < times; i++)
        {
            while (!_emptied.WaitEvent(TryPut, Limit(random), WaitMode.Uninterruptible, exclusive: random.Next(4) != 0))
                continue;
            Put();
        }
    }

    private async Task FillAsync(Random random, int times)
    {
        for (int i = 0; i < times; i++)
        {
            while (!await _emptied.WaitEventAsync(TryPut, Limit(random), WaitMode.Uninterruptible, exclusive: random.Next(4) != 0))
                continue;
            Put();
        }
    }

    private void Empty(Random random, int times)
    {
        for (int i = 0; i < times;)
        {
            if (random.Next(4) != 0)
            {
                while (!_filled.WaitEvent(TryTake, Limit(random), WaitMode.Uninterruptible, exclusive: random.Next(4) != 0))
                    continue;
            }
            else
            {
                using var source = new CancellationTokenSource(random.Next(2));
                try
                {
                    _filled.WaitEvent(TryTake, WaitMode.Uninterruptible, exclusive: true, source.Token);
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
            }

            Had();
            i++;
        }
    }

    private async Task EmptyAsync(Random random, int times)
    {
        for (int i = 0; i < times;)
        {
            if (random.Next(4) != 0)
            {
                while (!await _filled.WaitEventAsync(TryTake, Limit(random), WaitMode.Uninterruptible, exclusive: random.Next(4) != 0))
                    continue;
            }
            else
            {
                using var source = new CancellationTokenSource(random.Next(2));
                try
                {
                    await _filled.WaitEventAsync(TryTake, WaitMode.Uninterruptible, exclusive: true, source.Token);
                }
                catch (OperationCanceledException)
                {
                    continue;
                }
            }

            Had();
            i++;
        }
    }

    /// <summary>Mostly none: who is forgotten then sleeps for ever, and is found.</summary>
    private static TimeSpan Limit(Random random) => random.Next(5) == 0 ? TimeSpan.FromMilliseconds(random.NextDouble()) : Timeout.InfiniteTimeSpan;
}
