using System.Diagnostics;

namespace Kworker;

/// <summary>
/// How long one thread looks before it sleeps. What comes sooner than a sleep and a wake-up take is cheaper waited for awake; what does not costs a
/// processor for nothing. So it spins no longer than twice what a wake-up takes on this machine (that is measured at each), and only while it
/// pays: a wait that was short, awake or asleep, lets the next one spin for the full time; each that was long halves it, to nothing. With
/// one processor it never spins.
/// </summary>
/// <remarks>
/// A mutable struct of one thread. <see cref="Begin"/>, then <see cref="Next"/> before each further look until it is false; then
/// <see cref="Sleeping"/> before the thread sleeps; at the end <see cref="Came"/> or, after a sleep, <see cref="Woken"/>.
/// Twice, because of two that hand over to each other: when both sleep, each waits for as long as the other takes to wake up.
/// </remarks>
internal struct AdaptiveSpin
{
    /// <summary>Looks before the first look at the clock, which costs as much as several of them.</summary>
    private const int LooksByCount = 64;

    /// <summary>Looks between looks at the clock, and between letting others run.</summary>
    private const int LooksByClock = 16;

    // Ticks of Stopwatch.
    private static readonly long s_microsecond = Math.Max(1, Stopwatch.Frequency / 1_000_000);
    private static readonly long s_least = Environment.ProcessorCount > 1 ? 10 * s_microsecond : 0;
    private static readonly long s_most = Environment.ProcessorCount > 1 ? 50 * s_microsecond : 0;

    /// <summary>The longest spin of any thread, between least and most. Written by all, without order: any of the values will do.</summary>
    private static long s_longest = s_least;

    private long _limit;
    private long _begin; // 0: the clock was not looked at yet
    private int _looks;

    public AdaptiveSpin() => _limit = s_least;

    /// <summary>Now, for <see cref="Woken"/>.</summary>
    internal static long Now => Stopwatch.GetTimestamp();

    /// <summary>A wait begins.</summary>
    internal void Begin()
    {
        _begin = 0;
        _looks = 0;
    }

    /// <summary>Waits a moment; false when it is time to sleep.</summary>
    internal bool Next()
    {
        if (_limit == 0)
            return false;
        Seam.Pause();
        return ++_looks < LooksByCount || GoesOn();
    }

    private bool GoesOn()
    {
        if (_looks % LooksByClock != 0)
            return true;
        if (_begin == 0)
        {
            _begin = Now;
            return true;
        }

        // It was not about to come. Who else could run here shall, perhaps it is they whom we wait for.
        Thread.Yield();
        return Now - _begin < _limit;
    }

    /// <summary>The thread gives up looking, and sleeps.</summary>
    internal void Sleeping()
    {
        if (_begin == 0)
            _begin = Now;
    }

    /// <summary>What was waited for has come while the thread was awake.</summary>
    internal void Came() => _limit = Volatile.Read(ref s_longest);

    /// <summary>The thread was woken from its sleep.</summary>
    /// <param name="resumed">When it was told to go on; from there to now the wake-up took.</param>
    internal void Woken(long resumed)
    {
        long longest = Volatile.Read(ref s_longest);
        long wakeUp = Math.Clamp(2 * (Now - resumed), s_least, s_most);
        longest += (wakeUp - longest) / 8;
        Volatile.Write(ref s_longest, longest);
        if (resumed - _begin <= longest)
            _limit = longest;
        else if ((_limit /= 2) < s_microsecond)
            _limit = 0;
    }
}
