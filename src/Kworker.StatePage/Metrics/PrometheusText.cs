using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Kworker.StatePage;

/// <summary>
/// Prometheus' text format (version 0.0.4): what meters' observable instruments say when they are asked, and the latencies of a snapshot. Nothing is kept between two
/// questions. Names follow OpenTelemetry's rules for Prometheus: dots become underscores, counters end in <c>_total</c>.
/// </summary>
internal static class PrometheusText
{
    public static string Write(IEnumerable<string> meters, KworkerSnapshot snapshot)
    {
        var text = new StringBuilder();
        foreach (Family family in Observe([.. meters]))
            family.Write(text);
        WriteLatencies(text, "kworker_queue_wait_seconds", "How long items waited from queueing to their beginning, while that was measured.", snapshot, static queue => queue.Waited);
        WriteLatencies(text, "kworker_queue_run_seconds", "How long items ran, awaits included, while that was measured.", snapshot, static queue => queue.Ran);
        return text.ToString();
    }

    private static Family[] Observe(HashSet<string> meters)
    {
        var families = new SortedDictionary<string, Family>(StringComparer.Ordinal);
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.IsObservable && meters.Contains(instrument.Meter.Name))
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        return [.. families.Values];

        void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            bool isCounter = instrument.GetType().GetGenericTypeDefinition() == typeof(ObservableCounter<>);
            string name = NameOf(instrument.Name) + (isCounter ? "_total" : "");
            if (!families.TryGetValue(name, out Family? family))
                families[name] = family = new Family(name, isCounter ? "counter" : "gauge", instrument.Description ?? "");
            family.Add(LabelsOf(tags), value);
        }
    }

    private static void WriteLatencies(StringBuilder text, string name, string help, KworkerSnapshot snapshot, Func<WorkqueueSnapshot, LatencySnapshot?> latencies)
    {
        bool isFirst = true;
        foreach (IGrouping<string, WorkqueueSnapshot> queues in snapshot.Workqueues.Where(queue => latencies(queue) is not null).GroupBy(static queue => queue.Name))
        {
            if (isFirst)
                Head(text, name, "histogram", help);
            isFirst = false;
            string queue = $"kworker_workqueue=\"{Escape(queues.Key)}\"";
            // Steps four times as long each, so that a queue has few series: 4 µs, 16 µs and so on to some hours.
            (TimeSpan Below, long Count)[] steps = [.. queues.SelectMany(other => latencies(other)!.Steps)];
            for (long microseconds = 4; microseconds <= 1L << 34; microseconds *= 4)
            {
                TimeSpan bound = TimeSpan.FromMicroseconds(microseconds);
                Line(text, $"{name}_bucket", $"{queue},le=\"{bound.TotalSeconds.ToString(CultureInfo.InvariantCulture)}\"", steps.Where(step => step.Below <= bound).Sum(static step => step.Count));
            }

            long count = steps.Sum(static step => step.Count);
            Line(text, $"{name}_bucket", $"{queue},le=\"+Inf\"", count);
            Line(text, $"{name}_sum", queue, queues.Sum(other => latencies(other)!.Total.TotalSeconds));
            Line(text, $"{name}_count", queue, count);
        }
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new StringBuilder();
        foreach ((string name, object? value) in tags)
            labels.Append(labels.Length == 0 ? "" : ",").Append(NameOf(name)).Append("=\"").Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('"');
        return labels.ToString();
    }

    private static string NameOf(string name) => string.Concat(name.Select(static c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));

    private static string Escape(string value) =>
        value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static void Head(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal))
            .Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>The series of one name. Two that have the same labels, such as queues of one name in two systems, are one: their sum.</summary>
    private sealed class Family(string name, string type, string help)
    {
        private readonly SortedDictionary<string, double> _series = new(StringComparer.Ordinal);

        public void Add(string labels, double value) => _series[labels] = _series.GetValueOrDefault(labels) + value;

        public void Write(StringBuilder text)
        {
            Head(text, name, type, help);
            foreach ((string labels, double value) in _series)
                Line(text, name, labels, value);
        }
    }
}
