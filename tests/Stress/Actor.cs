using System.Runtime.CompilerServices;

namespace Kworker.Stress;

/// <summary>Something that does random operations until its world stops.</summary>
internal abstract class Actor(World world, string name, int seed)
{
    private volatile string _doing = "not begun";
    private long _steps;

    protected World World => world;

    protected Verdict Verdict => world.Verdict;

    protected Random Random { get; } = new(seed);

    internal string Name => name;

    /// <summary>For the report of one that hangs.</summary>
    public override string ToString() => $"{name}: {_doing} (step {_steps})";

    /// <summary>Whether it goes on.</summary>
    protected bool IsOn
    {
        get
        {
            _steps++;
            return !world.IsStopping;
        }
    }

    /// <summary>Says what it is about to do.</summary>
    protected void Doing(string what) => _doing = what;

    protected bool Chance(double probability) => Random.NextDouble() < probability;

    protected TimeSpan UpTo(double milliseconds) => TimeSpan.FromMilliseconds(Random.NextDouble() * milliseconds);

    protected T One<T>(IReadOnlyList<T> of) => of[Random.Next(of.Count)];

    internal async Task RunAsync()
    {
        try
        {
            await ActAsync();
            Doing("over");
        }
        catch (Exception e)
        {
            Verdict.Fail($"{this}: {e}");
        }
    }

    internal void Run()
    {
        try
        {
            Act();
            Doing("over");
        }
        catch (Exception e)
        {
            Verdict.Fail($"{this}: {e}");
        }
    }

    /// <summary>On a thread, or a kthread of the world.</summary>
    protected virtual void Act() => throw new InvalidOperationException($"{name} is asynchronous.");

    /// <summary>On the thread pool, or on a kthread of the world with an asynchronous body.</summary>
    protected virtual Task ActAsync() => throw new InvalidOperationException($"{name} is synchronous.");

    /// <summary>Keeps a processor busy for a moment.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    protected static void Spin(int times) => Thread.SpinWait(times);
}
