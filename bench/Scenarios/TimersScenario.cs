using System.Globalization;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>Arm a delayed item and cancel it, while many others are pending; beside it the platform's timers, with as many of theirs pending.</summary>
internal sealed class TimersScenario : IScenario
{
    private const int Turn = 1024; // items that take turns

    private readonly Workqueue _queue = new("bench");
    private readonly DelayedWork<object?> _work = new(null, static _ => { });
    private readonly DelayedWork<object?>[] _works = [.. Enumerable.Range(0, Turn).Select(static _ => new DelayedWork<object?>(null, static _ => { }))];
    private readonly Timer _timer = new(static _ => { });
    private readonly Timer[] _timers = [.. Enumerable.Range(0, Turn).Select(static _ => new Timer(static _ => { }))];
    private long _word;

    public string Name => "timers";

    public string Summary => "arm and cancel one more with others pending; pending=1000,100000,1000000,5000000 operations=200000 rounds=15";

    public void Run(ScenarioOptions options)
    {
        int[] pending = options.Numbers("pending", "1000,100000,1000000,5000000");
        int operations = options.Number("operations", 200_000), rounds = options.Number("rounds", 15);
        foreach (int count in pending)
            Run(count, operations, rounds);
    }

    private void Run(int count, int operations, int rounds)
    {
        (double bytes, DelayedWork<object?>[] works) = Measure(count, MakeWork);
        (double timerBytes, Timer[] timers) = Measure(count, MakeTimer);
        string title = string.Create(CultureInfo.InvariantCulture, $"Arm and cancel, {count:N0} others pending");
        new Comparison(title) { Rounds = rounds, CountsBytes = true, CountsCpu = true }
            .Add("DelayedWork, Queue and Cancel", operations, () => Repeat(operations, i =>
            {
                _queue.Queue(_work, Long(i));
                _work.Cancel();
            }))
            .Add("Timer made and disposed", operations, () => Repeat(operations, static i => new Timer(static _ => { }, null, Long(i), Timeout.InfiniteTimeSpan).Dispose()))
            .Add("Timer.Change twice", operations, () => Repeat(operations, i =>
            {
                _timer.Change(Long(i), Timeout.InfiniteTimeSpan);
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }))
            .Add("DelayedWork, 1,024 items in turn", operations, () => Repeat(operations, i =>
            {
                DelayedWork<object?> work = _works[i % Turn];
                _queue.Queue(work, Long(i));
                work.Cancel();
            }))
            .Add("Timer.Change twice, 1,024 in turn", operations, () => Repeat(operations, i =>
            {
                Timer timer = _timers[i % Turn];
                timer.Change(Long(i), Timeout.InfiniteTimeSpan);
                timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }))
            .Add("DelayedWork, delays up to 4 s", operations, () => Repeat(operations, i =>
            {
                _queue.Queue(_work, TimeSpan.FromMilliseconds(2000 + (i & 0x3ff)));
                _work.Cancel();
            }))
            .Add("DelayedWork, Modify while it is armed", operations, () => Repeat(operations, i => _queue.Modify(_work, Long(i))))
            .Add("Timer.Change once", operations, () => Repeat(operations, i => _timer.Change(Long(i), Timeout.InfiniteTimeSpan)))
            .Add("two compare-and-swaps, nothing else", operations, () => Repeat(operations, _ =>
            {
                Interlocked.CompareExchange(ref _word, 1, 0);
                Interlocked.CompareExchange(ref _word, 0, 1);
            }))
            .Run();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"Bytes for each pending one, all in all: DelayedWork {bytes:0.#}, Timer {timerBytes:0.#}."));
        Console.WriteLine();
        _work.Cancel();
        _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Array.ForEach(works, static work => work.Cancel());
        Array.ForEach(timers, static timer => timer.Dispose());
    }

    private static TimeSpan Long(int i) => TimeSpan.FromMilliseconds(300_000 + (i & 0xffff));

    private DelayedWork<object?> MakeWork(int i)
    {
        var work = new DelayedWork<object?>(null, static _ => { });
        _queue.Queue(work, TimeSpan.FromMilliseconds(3_600_000 + (i % 100_000)));
        return work;
    }

    private static Timer MakeTimer(int i) => new(static _ => { }, null, 3_600_000 + (i % 100_000), Timeout.Infinite);

    /// <summary>What the heap grows by for each, without the array that holds them.</summary>
    private static (double Bytes, T[] Made) Measure<T>(int count, Func<int, T> make)
    {
        var made = new T[count];
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < count; i++)
            made[i] = make(i);
        return ((double)(GC.GetTotalMemory(forceFullCollection: true) - before) / count, made);
    }

    private static void Repeat(int operations, Action<int> operation)
    {
        for (int i = 0; i < operations; i++)
            operation(i);
    }
}
