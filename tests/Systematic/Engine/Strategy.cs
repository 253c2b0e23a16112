namespace Kworker.Systematic;

/// <summary>Who goes on: chosen anew at each step, from the seed alone.</summary>
internal abstract class Strategy(Random random)
{
    protected Random Random => random;

    /// <summary>Chooses among those that can go on.</summary>
    /// <param name="able">Not empty. Sleepers whose time comes next are among them when <see cref="TimeMayPass"/> said so.</param>
    /// <param name="current">Who has the turn; it may be unable.</param>
    internal abstract ScheduledThread Choose(List<ScheduledThread> able, ScheduledThread current);

    /// <summary>Whether time may go on although somebody could run.</summary>
    internal abstract bool TimeMayPass();

    internal virtual void Added(ScheduledThread thread)
    {
    }

    internal virtual void Spun(ScheduledThread thread)
    {
    }

    /// <summary>The strategy of a seed: some of each kind.</summary>
    internal static Strategy ForSeed(int seed, int expectedSteps)
    {
        var random = new Random(seed);
        return (seed & 3) switch
        {
            0 => new RandomWalk(random, stay: 0, time: 0.3),
            1 => new RandomWalk(random, stay: 0.8, time: 0.05),
            _ => new PriorityChanges(random, changes: 1 + random.Next(4), expectedSteps, time: random.Next(2) * 0.05),
        };
    }
}

/// <summary>Any of them, with some inclination to let the one go on that runs.</summary>
internal sealed class RandomWalk(Random random, double stay, double time) : Strategy(random)
{
    internal override ScheduledThread Choose(List<ScheduledThread> able, ScheduledThread current)
    {
        if (stay > 0 && Random.NextDouble() < stay && able.Contains(current))
            return current;
        return able[Random.Next(able.Count)];
    }

    internal override bool TimeMayPass() => Random.NextDouble() < time;

    public override string ToString() => $"random walk, stays {stay:0.##}, time {time:0.##}";
}

/// <summary>
/// Probabilistic concurrency testing (Burckhardt and others, 2010): each thread has a random priority, the highest that can goes on, and at a
/// few random steps the one that runs falls behind all others. Finds a bug that needs d turns at known odds, which a random walk does not.
/// </summary>
internal sealed class PriorityChanges : Strategy
{
    private readonly HashSet<int> _changes = [];
    private readonly double _time;
    private int _step;
    private double _lowest;

    internal PriorityChanges(Random random, int changes, int expectedSteps, double time)
        : base(random)
    {
        _time = time;
        for (int i = 0; i < changes; i++)
            _changes.Add(random.Next(Math.Max(1, expectedSteps)));
    }

    internal override void Added(ScheduledThread thread) => thread.Priority = Random.NextDouble();

    internal override void Spun(ScheduledThread thread) => thread.Priority = --_lowest;

    internal override ScheduledThread Choose(List<ScheduledThread> able, ScheduledThread current)
    {
        if (_changes.Contains(_step++))
            current.Priority = --_lowest;
        ScheduledThread best = able[0];
        foreach (ScheduledThread thread in able)
        {
            if (thread.Priority > best.Priority)
                best = thread;
        }

        return best;
    }

    internal override bool TimeMayPass() => Random.NextDouble() < _time;

    public override string ToString() => $"priorities, {_changes.Count} changes, time {_time:0.##}";
}
