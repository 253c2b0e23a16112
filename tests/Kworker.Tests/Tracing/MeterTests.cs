using System.Text.RegularExpressions;

namespace Kworker.Tests;

[Collection(nameof(TracingTests))]
public sealed partial class MeterTests
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
        var seen = MeterReading.Take();
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
            Assert.Contains(MeterReading.Take().Keys, static key => key.Tags == "queue of the ended");
        system.Dispose();
        Assert.DoesNotContain(MeterReading.Take().Keys, static key => key.Tags == "queue of the ended");
    }

    [Fact]
    public void The_chapter_names_the_instruments_that_there_are()
    {
        using var system = new KworkerSystem();
        IEnumerable<string> named = Instrument().Matches(Chapter.Section("How much")).Select(static match => match.Groups[1].Value);
        Assert.Equal(named.Order(StringComparer.Ordinal), MeterReading.Take().Instruments.Order(StringComparer.Ordinal));
    }

    [GeneratedRegex(@"`(kworker\.[a-z._]+)`")]
    private static partial Regex Instrument();
}
