namespace Kworker.Nfsd.FileSystem;

/// <summary>A time stamp of a file: seconds and nanoseconds since 1970-01-01 00:00:00 UTC.</summary>
/// <param name="Seconds">Whole seconds. NFSv3 carries 32 bits of them; the protocol layer cuts.</param>
/// <param name="Nanoseconds">0 to 999,999,999.</param>
public readonly record struct NfsTime(long Seconds, uint Nanoseconds)
{
    /// <summary>Converts <paramref name="time"/>; precision is .NET's 100 ns.</summary>
    public static NfsTime From(DateTimeOffset time)
    {
        long ticks = time.UtcTicks - DateTime.UnixEpoch.Ticks;
        (long seconds, long rest) = Math.DivRem(ticks, TimeSpan.TicksPerSecond);
        if (rest < 0)
        {
            seconds--;
            rest += TimeSpan.TicksPerSecond;
        }
        return new NfsTime(seconds, (uint)(rest * 100));
    }
}
