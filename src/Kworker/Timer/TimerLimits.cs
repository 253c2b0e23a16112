namespace Kworker;

/// <summary>Numbers by which a <see cref="TimerBase"/> decides what pays. Tests take small ones.</summary>
internal sealed record TimerLimits
{
    private const long PerMillisecond = TimerTicks.PerSecond / 1000;

    /// <summary>How many items a thread may change before it tells the wheel itself. A power of two, 64 at most.</summary>
    internal int Inbox { get; init; } = 64;

    /// <summary>So many ticks after an item was put into an inbox at the latest, the wheel is told.</summary>
    internal long SettleAfter { get; init; } = TimerTicks.PerSecond;

    /// <summary>A delay from which on a beat more or less does not matter, in ticks: while the base beats it is counted from the next beat.</summary>
    internal long Long { get; init; } = 4 * TimerTicks.PerSecond;

    /// <summary>Ticks from one beat to the next.</summary>
    internal long Beat { get; init; } = 4 * PerMillisecond;

    /// <summary>How many ticks it beats when it has begun to.</summary>
    internal long BeatFor { get; init; } = 100 * PerMillisecond;

    /// <summary>When a thread arms so many long delays within <see cref="BusyTicks"/>, the base begins to beat.</summary>
    internal int BusyArmings { get; init; } = 64;

    /// <summary>See <see cref="BusyArmings"/>.</summary>
    internal long BusyTicks { get; init; } = 2 * PerMillisecond;
}
