using System.Diagnostics;

namespace Kworker;

/// <summary>
/// The core's reads of a system's clock, which it also makes under its locks. A clock moved by hand may call what is due where it is read
/// (<c>FakeTimeProvider.GetTimestamp</c> does, when another thread is just moving it), and to process timers takes those locks. So the thread is marked for as long as it is inside a
/// clock of somebody else's, and <see cref="ProviderTimerClock"/> hands what such a clock calls from there to another thread.
/// </summary>
internal static class ClockReading
{
    [ThreadStatic]
    private static int t_depth;

    /// <summary>The calling thread is inside a clock, called by us, and may hold locks of ours.</summary>
    internal static bool IsUnderWay => t_depth != 0;

    /// <summary>As <see cref="TimeProvider.GetTimestamp"/>.</summary>
    internal static long Timestamp(TimeProvider clock)
    {
        if (ReferenceEquals(clock, TimeProvider.System))
            return Stopwatch.GetTimestamp();
        Begin();
        try
        {
            return clock.GetTimestamp();
        }
        finally
        {
            End();
        }
    }

    /// <summary>As <see cref="TimeProvider.GetElapsedTime(long)"/>.</summary>
    internal static TimeSpan Since(TimeProvider clock, long start) => clock.GetElapsedTime(start, Timestamp(clock));

    /// <summary>The thread calls into a clock that may call it back; <see cref="End"/> follows in any case.</summary>
    internal static void Begin() => t_depth++;

    internal static void End() => t_depth--;
}
