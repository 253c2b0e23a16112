namespace Kworker;

/// <summary>
/// The word that says when an item is due: bit 0 the parity of the arming that it belongs to, bit 1 how to read the rest: a tick of the base, or a delay in units of
/// <see cref="TimeSpan"/> that begins when the wheel is told.
/// </summary>
internal static class TimerExpiry
{
    /// <summary>Counted from when the wheel is told.</summary>
    internal const long Relative = 2;

    private const int Shift = 2;

    /// <summary>Later than this nothing falls due.</summary>
    internal const long Last = long.MaxValue >> (Shift + 1);

    internal static long At(long tick) => tick << Shift;

    internal static long After(TimeSpan delay) => (delay.Ticks << Shift) | Relative;

    /// <summary>The longest delay that fits, seven thousand years.</summary>
    internal const long LongestDelay = Last;

    internal static bool IsRelative(long expires) => (expires & Relative) != 0;

    internal static long Tick(long expires) => expires >> Shift;

    internal static TimeSpan Delay(long expires) => new(expires >> Shift);

    /// <summary>Marks it as that of the arming that led to <paramref name="state"/>.</summary>
    internal static long Of(long expires, long state) => expires | ((state & ItemState.Parity) != 0 ? 1L : 0L);

    /// <summary>Whether it is that of the arming that <paramref name="state"/> shows: if not, who armed the item is about to write it.</summary>
    internal static bool IsOf(long expires, long state) => (expires & 1) != 0 == ((state & ItemState.Parity) != 0);
}
