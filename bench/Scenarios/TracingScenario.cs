using System.Diagnostics;
using System.Diagnostics.Tracing;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>What being watched costs: tiny items with nobody listening, with a listener to their events, with one to their activities; and a snapshot.</summary>
internal sealed class TracingScenario : IScenario
{
    private readonly Countdown _countdown = new();

    public string Name => "tracing";

    public string Summary => "queue and run a tiny item with and without listeners, and take a snapshot; items=50000 rounds=15 waiting=1000";

    public void Run(ScenarioOptions options)
    {
        int items = options.Number("items", 50_000), rounds = options.Number("rounds", 15), waiting = options.Number("waiting", 1_000);
        using var queue = new Workqueue("bench", new WorkqueueOptions { MaxActive = int.MaxValue });
        Work<Countdown>[] works = [.. Enumerable.Range(0, items).Select(_ => new Work<Countdown>(_countdown, static c => c.Signal()))];
        Produce(queue, works); // the library's event source is made with its first system
        using var events = new Events();
        ActivityListener activities = NewActivityListener();

        new Comparison("Queue and run a tiny item, watched or not") { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("nobody listens", items, () => Produce(queue, works))
            .Add("nobody listens, once more", items, () => Produce(queue, works))
            .Add("a listener to the events of items, in process", items, () =>
            {
                events.Listen();
                Produce(queue, works);
                events.Rest();
            })
            .Add("a listener to activities", items, () =>
            {
                ActivitySource.AddActivityListener(activities);
                Produce(queue, works);
                activities.Dispose();
                activities = NewActivityListener();
            })
            .Run();

        using Workqueue ordered = Workqueue.Ordered("waiting");
        var end = new Completion();
        for (int i = 0; i < waiting; i++)
            ordered.Queue(new Work<Completion>(end, static end => end.Wait()));
        new Comparison($"A snapshot with {waiting} items waiting") { Rounds = rounds, CountsBytes = true }
            .Add("Snapshot(), 256 of them listed", 20, () => Repeat(20, static () => KworkerSystem.Default.Snapshot()))
            .Add("Snapshot(0), counts alone", 20, () => Repeat(20, static () => KworkerSystem.Default.Snapshot(0)))
            .Add("Snapshot().ToString()", 20, () => Repeat(20, static () => KworkerSystem.Default.Snapshot().ToString()))
            .Run();
        end.CompleteAll();
        activities.Dispose();
    }

    private void Produce(Workqueue queue, Work<Countdown>[] works)
    {
        _countdown.Reset(works.Length);
        foreach (Work<Countdown> work in works)
            queue.Queue(work);
        _countdown.Wait();
    }

    private static void Repeat(int times, Func<object> action)
    {
        for (int i = 0; i < times; i++)
            GC.KeepAlive(action());
    }

    private static ActivityListener NewActivityListener() => new()
    {
        ShouldListenTo = static source => source.Name == "Kworker",
        Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
    };

    /// <summary>Hears the events of items, and does nothing with them.</summary>
    private sealed class Events : EventListener
    {
        private EventSource Source => field ??= EventSource.GetSources().Single(static source => source.Name == "Kworker");

        internal void Listen() => EnableEvents(Source, EventLevel.Informational, (EventKeywords)1);

        internal void Rest() => DisableEvents(Source);
    }
}
