using System.Diagnostics;

namespace Kworker;

/// <summary>The clock of a <see cref="TimerBase"/>: a tick is a quarter of a millisecond since the base was made: that much later than it should a timer may fire. Immutable.</summary>
internal sealed class TimerTicks
{
    internal const long PerSecond = 4000;

    /// <summary>Up to three years, in units of <see cref="TimeSpan"/>, are counted without wider numbers.</summary>
    private const long ShortDelay = 1_000_000_000_000_000;

    private readonly TimeProvider _timeProvider;
    private readonly long _origin;
    private readonly long _frequency;
    private readonly ulong _unitsPerTick; // of the provider; 0 when they are no whole number
    private readonly long _unitsPerTimeSpanTick; // as above

    internal TimerTicks(TimeProvider timeProvider)
    {
        _timeProvider = timeProvider;
        _origin = ClockReading.Timestamp(timeProvider);
        _frequency = timeProvider.TimestampFrequency;
        _unitsPerTick = _frequency % PerSecond == 0 ? (ulong)(_frequency / PerSecond) : 0;
        _unitsPerTimeSpanTick = _frequency % TimeSpan.TicksPerSecond == 0 ? _frequency / TimeSpan.TicksPerSecond : 0;
    }

    /// <summary>How long ago the base was made, in units of the provider.</summary>
    internal long Elapsed => ClockReading.Timestamp(_timeProvider) - _origin;

    /// <summary>Ticks that have passed, rounded down.</summary>
    internal long Now => Floor(Elapsed);

    /// <summary>Ticks of a time that <see cref="Elapsed"/> gave, rounded down.</summary>
    internal long Floor(long elapsed) =>
        _unitsPerTick != 0 && elapsed >= 0 ? (long)((ulong)elapsed / _unitsPerTick) : (long)((Int128)elapsed * PerSecond / _frequency);

    /// <summary>The first tick that begins no earlier than <paramref name="delay"/> after <paramref name="elapsed"/>.</summary>
    internal long Due(long elapsed, TimeSpan delay)
    {
        if (_unitsPerTimeSpanTick != 0 && delay.Ticks <= ShortDelay && elapsed >= 0)
        {
            Debug.Assert(_unitsPerTick != 0, "what divides into units of TimeSpan divides into ticks");
            ulong due = (ulong)(elapsed + (delay.Ticks * _unitsPerTimeSpanTick));
            return (long)((due + _unitsPerTick - 1) / _unitsPerTick);
        }

        Int128 wide = ((Int128)elapsed * TimeSpan.TicksPerSecond) + ((Int128)delay.Ticks * _frequency);
        Int128 perTick = (Int128)_frequency * (TimeSpan.TicksPerSecond / PerSecond);
        return (long)Int128.Min((wide + perTick - 1) / perTick, TimerExpiry.Last);
    }

    /// <summary>How long until <paramref name="tick"/> begins; zero or less when it has begun.</summary>
    internal TimeSpan Until(long tick)
    {
        Int128 units = ((Int128)tick * _frequency) - ((Int128)Elapsed * PerSecond);
        Int128 perTimeSpanTick = (Int128)_frequency * PerSecond / TimeSpan.TicksPerSecond;
        if (perTimeSpanTick == 0)
            return TimeSpan.FromSeconds(Math.Max(0, tick - Now) / (double)PerSecond); // a clock slower than 10 kHz
        Int128 ticks = (units + perTimeSpanTick - 1) / perTimeSpanTick;
        return ticks > TimeSpan.MaxValue.Ticks ? TimeSpan.MaxValue : new TimeSpan((long)ticks);
    }
}
