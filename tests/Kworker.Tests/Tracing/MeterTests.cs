using System.Diagnostics.Metrics;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed class MeterTests
{
    [Fact]
    public void What_is_observed_is_what_happened()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Log = static _ => { } });
        using var queue = new Workqueue("measured queue", null, system);
        for (int i = 0; i < 100; i++)
            queue.Queue(new Work<int>(i, static _ => { }));
        queue.Queue(new Work<int>(0, static _ => throw new FormatException("on purpose")));
        queue.Flush();
        var begun = new Completion();
        var end = new Completion();
        queue.Queue(new Work<int>(0, _ =>
        {
            begun.Complete();
            end.Wait();
        }));
        begun.Wait();
        var seen = Collect();
        Assert.Equal(102, seen["kworker.work.queued", "measured queue"]);
        Assert.Equal(1, seen["kworker.queue.unfinished", "measured queue"]);
        Assert.True(seen["kworker.work.executed", "n"] >= 102);
        Assert.True(seen["kworker.work.exceptions", ""] >= 1);
        Assert.True(seen["kworker.pool.workers", "n/idle"] + seen["kworker.pool.workers", "n/blocked"] + seen["kworker.pool.workers", "n/running"] >= 1);
        end.Complete();
    }

    [Fact]
    public void A_system_that_has_ended_is_not_observed()
    {
        var system = new KworkerSystem();
        using (new Workqueue("queue of the ended", null, system))
            Assert.Contains(Collect().Keys, static key => key.Tags == "queue of the ended");
        system.Dispose();
        Assert.DoesNotContain(Collect().Keys, static key => key.Tags == "queue of the ended");
    }

    private static Observations Collect()
    {
        var seen = new Observations();
        using var listener = new MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                if (instrument.Meter.Name == "Kworker")
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen.Add(instrument.Name, tags, value));
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }

    /// <summary>Values by instrument and tags; those of several systems added up.</summary>
    private sealed class Observations
    {
        private readonly Dictionary<(string Name, string Tags), long> _values = [];

        public IEnumerable<(string Name, string Tags)> Keys => _values.Keys;

        public long this[string name, string tags] => _values[(name, tags)];

        public void Add(string name, ReadOnlySpan<KeyValuePair<string, object?>> tags, long value)
        {
            string text = string.Join('/', tags.ToArray().Select(static tag => tag.Value));
            _values[(name, text)] = _values.GetValueOrDefault((name, text)) + value;
        }
    }
}
