using System.Diagnostics.Metrics;

namespace Kworker.Tests;

/// <summary>What the meter says at one moment, as dotnet-counters asks it: values by instrument and tags; those of several systems added up.</summary>
internal sealed class MeterReading
{
    private readonly Dictionary<(string Name, string Tags), long> _values = [];
    private readonly List<string> _instruments = [];

    public IEnumerable<(string Name, string Tags)> Keys => _values.Keys;

    /// <summary>What is published, whether it had a value or not.</summary>
    public IEnumerable<string> Instruments => _instruments;

    public long this[string name, string tags] => _values[(name, tags)];

    public static MeterReading Take()
    {
        var reading = new MeterReading();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != "Kworker")
                    return;
                reading._instruments.Add(instrument.Name);
                listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => reading.Add(instrument.Name, tags, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return reading;
    }

    /// <summary>Asserts that an instrument says what the systems that live count, one of which is <paramref name="system"/>, and has something to count.</summary>
    public static void AssertCounts(string instrument, KworkerSystem system, Func<KworkerSystem, long> count)
    {
        KworkerSystem[] systems = KworkerMeter.Systems; // kept: none is to go meanwhile
        Assert.Contains(system, systems);
        Assert.NotEqual(0, count(system));
        long before = systems.Sum(count);
        long seen = Take()[instrument, ""];
        Assert.InRange(seen, before, systems.Sum(count));
    }

    private void Add(string name, ReadOnlySpan<KeyValuePair<string, object?>> tags, long value)
    {
        string text = string.Join('/', tags.ToArray().Select(static tag => tag.Value));
        _values[(name, text)] = _values.GetValueOrDefault((name, text)) + value;
    }
}
