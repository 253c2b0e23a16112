using System.Diagnostics;
using System.Globalization;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>How late timers fire that are spread over a time: from when they are due to the first line of their function.</summary>
internal sealed class LatenessScenario : IScenario
{
    private static readonly long s_perMicrosecond = Stopwatch.Frequency / 1_000_000;

    public string Name => "lateness";

    public string Summary => "how late timers fire, spread over a time; count=100000 spread=2000 (ms) rounds=3";

    public void Run(ScenarioOptions options)
    {
        int count = options.Number("count", 100_000), spread = options.Number("spread", 2000), rounds = options.Number("rounds", 3);
        options.ThrowIfAnyUnknown();
        using CTwin? twin = CTwin.Compile("sleep-jitter.c");
        using var queue = new Workqueue("bench", new WorkqueueOptions { MaxActive = int.MaxValue });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Lateness of {count:N0} timers spread over {spread} ms, microseconds; {rounds} rounds, the worst of them for each figure"));
        Console.WriteLine();
        Console.WriteLine("| contestant | early | p50 | p99 | p99.9 | worst |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Report("DelayedWork", rounds, () => OfWork(queue, count, spread));
        Report("Timer", rounds, () => OfTimers(count, spread));
        if (twin is not null)
            Report("clock_nanosleep in C, every millisecond", rounds, () => [.. Lines(twin.Run(spread.ToString(CultureInfo.InvariantCulture)))]);
        Report("a sleeping thread, every millisecond", rounds, () => OfThread(spread));
        Console.WriteLine();
    }

    /// <summary>Writes a row; <paramref name="measure"/> gives one round's lateness, nanoseconds.</summary>
    private static void Report(string name, int rounds, Func<long[]> measure)
    {
        measure(); // compiled and warm
        long[][] all = [.. Enumerable.Range(0, rounds).Select(_ => measure().Order().ToArray())];
        string Worst(Func<long[], long> of) => string.Create(CultureInfo.InvariantCulture, $"{all.Max(of) / 1000.0:0}");
        Console.WriteLine(
            $"| {name} | {all.Max(static each => each.Count(static late => late < 0))} | {Worst(static each => each[each.Length / 2])} | " +
            $"{Worst(static each => each[each.Length * 99 / 100])} | {Worst(static each => each[each.Length * 999 / 1000])} | {Worst(static each => each[^1])} |");
    }

    private static long[] OfWork(Workqueue queue, int count, int spread)
    {
        var done = new Countdown();
        done.Reset(count);
        var random = new Random(1);
        Late[] all = [.. Enumerable.Range(0, count).Select(_ => new Late(done, TimeSpan.FromTicks(random.NextInt64(1, spread * TimeSpan.TicksPerMillisecond))))];
        DelayedWork<Late>[] works = [.. all.Select(static late => new DelayedWork<Late>(late, static late => late.Note()))];
        foreach (DelayedWork<Late> work in works)
        {
            work.Owner.Begin();
            queue.Queue(work, work.Owner.Delay);
        }

        done.Wait();
        return [.. all.Select(static late => late.Nanoseconds)];
    }

    private static long[] OfTimers(int count, int spread)
    {
        var done = new Countdown();
        done.Reset(count);
        var random = new Random(1);
        Late[] all = [.. Enumerable.Range(0, count).Select(_ => new Late(done, TimeSpan.FromMilliseconds(random.Next(1, spread))))];
        Timer[] timers = [.. all.Select(static late => new Timer(static late => ((Late)late!).Note(), late, Timeout.Infinite, Timeout.Infinite))];
        for (int i = 0; i < count; i++)
        {
            all[i].Begin();
            timers[i].Change(all[i].Delay, Timeout.InfiniteTimeSpan);
        }

        done.Wait();
        Array.ForEach(timers, static timer => timer.Dispose());
        return [.. all.Select(static late => late.Nanoseconds)];
    }

    private static long[] OfThread(int count)
    {
        var late = new long[count];
        var thread = new Thread(() =>
        {
            for (int i = 0; i < count; i++)
            {
                long due = Stopwatch.GetTimestamp() + (1000 * s_perMicrosecond);
                Thread.Sleep(1);
                late[i] = (Stopwatch.GetTimestamp() - due) * 1000 / s_perMicrosecond;
            }
        });
        thread.Start();
        thread.Join();
        return late;
    }

    private static IEnumerable<long> Lines(string text) =>
        text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => long.Parse(line, CultureInfo.InvariantCulture));

    private sealed class Late(Countdown done, TimeSpan delay)
    {
        private long _due;

        internal TimeSpan Delay => delay;

        internal long Nanoseconds { get; private set; }

        internal void Begin() => _due = Stopwatch.GetTimestamp() + (delay.Ticks * Stopwatch.Frequency / TimeSpan.TicksPerSecond);

        internal void Note()
        {
            Nanoseconds = (Stopwatch.GetTimestamp() - _due) * 1000 / s_perMicrosecond;
            done.Signal();
        }
    }
}
