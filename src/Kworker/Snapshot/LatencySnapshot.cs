namespace Kworker;

/// <summary>
/// How long something took, many times, counted in steps of a fifth to a quarter: so that a percentile is right to that. Immutable. See
/// <see cref="KworkerSystem.MeasureLatencies"/>.
/// </summary>
public sealed class LatencySnapshot
{
    private readonly long[] _counts; // by LatencyHistogram's steps

    internal LatencySnapshot(long[] counts, TimeSpan total)
    {
        _counts = counts;
        Total = total;
        Count = counts.Sum();
    }

    /// <summary>How often it was measured.</summary>
    public long Count { get; }

    /// <summary>All of them together.</summary>
    public TimeSpan Total { get; }

    /// <summary>The steps that were met, in order, each with the time that what fell into it stayed below, and how often it was met.</summary>
    public IEnumerable<(TimeSpan Below, long Count)> Steps
    {
        get
        {
            for (int step = 0; step < _counts.Length; step++)
            {
                if (_counts[step] != 0)
                    yield return (LatencyHistogram.BoundOf(step), _counts[step]);
            }
        }
    }

    /// <summary>What a fraction of them stayed below: 0.5 is the median, 1 the longest. Zero when nothing was measured.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fraction"/> is not between 0 and 1.</exception>
    public TimeSpan Percentile(double fraction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(fraction);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(fraction, 1);
        double wanted = fraction * Count;
        long seen = 0;
        TimeSpan below = TimeSpan.Zero;
        foreach ((TimeSpan bound, long count) in Steps)
        {
            below = bound;
            seen += count;
            if (seen >= wanted)
                break;
        }

        return below;
    }

    /// <summary>What was measured after <paramref name="earlier"/> was taken of the same queue.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="earlier"/> is null.</exception>
    public LatencySnapshot Since(LatencySnapshot earlier)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        var counts = new long[_counts.Length];
        for (int step = 0; step < counts.Length; step++)
            counts[step] = Math.Max(0, _counts[step] - earlier._counts[step]);
        return new LatencySnapshot(counts, Total - earlier.Total);
    }
}
