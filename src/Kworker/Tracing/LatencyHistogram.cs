using System.Numerics;

namespace Kworker;

/// <summary>Counts times in steps: four to each doubling, from a microsecond to days. Written by any thread; what is read may be some counts behind.</summary>
internal sealed class LatencyHistogram
{
    private const int StepsOfDoubling = 4;
    private const int StepCount = 160; // 2^40 µs, twelve days

    private readonly long[] _counts = new long[StepCount]; // interlocked
    private long _ticks; // interlocked; all times together

    internal void Add(TimeSpan time)
    {
        Interlocked.Increment(ref _counts[StepOf(time)]);
        Interlocked.Add(ref _ticks, time.Ticks);
    }

    internal LatencySnapshot ToSnapshot()
    {
        var counts = new long[StepCount];
        for (int step = 0; step < StepCount; step++)
            counts[step] = Volatile.Read(ref _counts[step]);
        return new LatencySnapshot(counts, new TimeSpan(Volatile.Read(ref _ticks)));
    }

    internal static int StepOf(TimeSpan time)
    {
        long microseconds = Math.Max(0, time.Ticks / TimeSpan.TicksPerMicrosecond);
        if (microseconds < StepsOfDoubling)
            return (int)microseconds;
        int exponent = BitOperations.Log2((ulong)microseconds);
        return Math.Min(StepCount - 1, (exponent - 1) * StepsOfDoubling + (int)(microseconds >> (exponent - 2) & 3));
    }

    /// <summary>What falls into a step is shorter than this.</summary>
    internal static TimeSpan BoundOf(int step)
    {
        if (step < StepsOfDoubling)
            return TimeSpan.FromMicroseconds(step + 1);
        int exponent = step / StepsOfDoubling + 1;
        return TimeSpan.FromMicroseconds((step % StepsOfDoubling + StepsOfDoubling + 1L) << (exponent - 2));
    }
}
