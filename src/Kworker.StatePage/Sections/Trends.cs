namespace Kworker.StatePage;

/// <summary>How figures went over the last looks: rates of what is counted, and levels. Not thread-safe: whoever looks has the reader's lock.</summary>
internal sealed class Trends
{
    private const int Most = 60;

    private readonly Dictionary<string, Series> _series = [];
    private DateTimeOffset _now;

    /// <summary>A new look begins; what the one before did not ask for is forgotten.</summary>
    public void Begin(DateTimeOffset now)
    {
        foreach (string key in _series.Where(pair => pair.Value.LastLook != _now).Select(static pair => pair.Key).ToArray())
            _series.Remove(key);
        _now = now;
    }

    /// <summary>How fast a count grows, since the look before, and how fast it did before. What shrinks has begun anew.</summary>
    public (double Rate, double[] Trend) Rate(string key, double count)
    {
        Series series = Find(key);
        double seconds = (_now - series.LastLook).TotalSeconds;
        if (series.HasLast && seconds > 0)
            series.Add(Math.Max(0, count - series.Last) / seconds);
        series.Note(_now, count);
        return (series.Values.Count == 0 ? 0 : series.Values[^1], [.. series.Values]);
    }

    /// <summary>How a level went, the latest last.</summary>
    public double[] Level(string key, double level)
    {
        Series series = Find(key);
        if (series.LastLook != _now)
            series.Add(level);
        series.Note(_now, level);
        return [.. series.Values];
    }

    /// <summary>What of a histogram was measured in about the last minute; null when nothing was.</summary>
    public LatencySnapshot? Recent(string key, LatencySnapshot? all)
    {
        if (all is null)
            return null;
        Series series = Find(key);
        series.LastLook = _now;
        series.Histograms.Enqueue((_now, all));
        // One that is older than a minute is kept: what came since is what is shown.
        while (series.Histograms.Count > 2 && _now - series.Histograms.ElementAt(1).Time > TimeSpan.FromMinutes(1))
            series.Histograms.Dequeue();
        LatencySnapshot recent = series.Histograms.Count == 1 ? all : all.Since(series.Histograms.Peek().Histogram);
        return recent.Count == 0 ? null : recent;
    }

    private Series Find(string key)
    {
        if (!_series.TryGetValue(key, out Series? series))
            _series[key] = series = new Series();
        return series;
    }

    private sealed class Series
    {
        public List<double> Values { get; } = [];

        public Queue<(DateTimeOffset Time, LatencySnapshot Histogram)> Histograms { get; } = [];

        public double Last { get; private set; }

        public bool HasLast { get; private set; }

        public DateTimeOffset LastLook { get; set; }

        public void Add(double value)
        {
            if (Values.Count == Most)
                Values.RemoveAt(0);
            Values.Add(value);
        }

        public void Note(DateTimeOffset now, double value)
        {
            LastLook = now;
            Last = value;
            HasLast = true;
        }
    }
}
