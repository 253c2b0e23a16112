using System.Diagnostics;
using System.Globalization;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// Items that each block 100 ms, each contestant in a fresh process: one that has been starved before has the threads that it lacked.
/// </summary>
internal sealed class BlockedScenario : IScenario
{
    private static readonly string[] s_contenders = ["threads", "workqueue", "workqueue-unbound", "threadpool-raised", "threadpool"];

    private static readonly Dictionary<string, string> s_kinds = new()
    {
        ["sleep"] = "sleep in a call that the library cannot see",
        ["announced"] = "the same in a `Worker.Blocking` scope",
        ["own-sleep"] = "`Worker.Sleep`",
        ["wait"] = "wait, unseen, for an item queued behind them that sleeps 100 ms",
        ["own-wait"] = "the same, on a `Completion`",
    };

    public string Name => "blocked";

    public string Summary =>
        $"items that each block 100 ms; items=64,200,1000 kinds={string.Join(',', s_kinds.Keys)} contenders={string.Join(',', s_contenders)} rounds=3 limit=60";

    public void Run(ScenarioOptions options)
    {
        if (options.Text("in", "") is { Length: > 0 } contender)
        {
            Measure(contender, options.Text("kind", ""), options.Number("count", 0));
            return;
        }

        int rounds = options.Number("rounds", 3), limit = options.Number("limit", 60);
        int[] items = options.Numbers("items", "64,200,1000");
        string[] kinds = options.Text("kinds", string.Join(',', s_kinds.Keys)).Split(',');
        string[] contenders = options.Text("contenders", string.Join(',', s_contenders)).Split(',');
        options.ThrowIfAnyUnknown();

        Console.WriteLine($"Items that each block 100 ms: until all are done, milliseconds, median of {rounds} fresh processes (the thread pool as it comes: of one);");
        Console.WriteLine($"in brackets the ratio to {contenders[0]}. Not over after {limit} s: given up.");
        Console.WriteLine();
        Console.WriteLine($"| items | how they block | {string.Join(" | ", contenders)} |");
        Console.WriteLine($"|---|---|{string.Concat(contenders.Select(static _ => "---|"))}");
        foreach (int count in items)
        {
            foreach (string kind in kinds)
            {
                var times = contenders.ToDictionary(static name => name, static _ => new List<double>());
                for (int round = 0; round < rounds; round++)
                {
                    foreach (string each in contenders.Where(each => round == 0 || each != "threadpool"))
                        times[each].Add(InFreshProcess(each, kind, count, TimeSpan.FromSeconds(limit)));
                }

                double first = Comparison.Median(times[contenders[0]]);
                Console.WriteLine($"| {count} | {s_kinds[kind]} | {string.Join(" | ", contenders.Select(each => Cell(Comparison.Median(times[each]), first, limit)))} |");
            }
        }

        Console.WriteLine();
    }

    private static string Cell(double milliseconds, double first, int limit) => double.IsInfinity(milliseconds)
        ? string.Create(CultureInfo.InvariantCulture, $"over {limit * 1000:#,0}")
        : string.Create(CultureInfo.InvariantCulture, $"{milliseconds:#,0.0} ({milliseconds / first:0.00})");

    private static double InFreshProcess(string contender, string kind, int count, TimeSpan limit)
    {
        string output = SelfProcess.Run(limit, "scenario", "blocked", $"in={contender}", $"kind={kind}", $"count={count}");
        return output.Length == 0 ? double.PositiveInfinity : double.Parse(output, CultureInfo.InvariantCulture);
    }

    private static void Measure(string name, string kind, int count)
    {
        // One of ours where peers have no such thing would be no measure of them.
        bool isOurs = name.StartsWith("workqueue", StringComparison.Ordinal);
        var gate = new ManualResetEventSlim();
        var ownGate = new Completion();
        Action block = (kind, isOurs) switch
        {
            ("announced", true) => static () =>
            {
                using BlockingScope _ = Worker.Blocking();
                Thread.Sleep(Contender.BlockingTime);
            }
            ,
            ("own-sleep", true) => static () => Worker.Sleep(Contender.BlockingTime),
            ("own-wait", true) => () => ownGate.Wait(),
            ("wait" or "own-wait", _) => () => gate.Wait(),
            _ => static () => Thread.Sleep(Contender.BlockingTime),
        };
        Action open = kind switch
        {
            "wait" or "own-wait" when isOurs => () =>
            {
                Worker.Sleep(Contender.BlockingTime);
                gate.Set();
                ownGate.CompleteAll();
            }
            ,
            "wait" or "own-wait" => () =>
            {
                Thread.Sleep(Contender.BlockingTime);
                gate.Set();
            }
            ,
            _ => static () => { }
            ,
        };
        using Contender contender = Contender.Create(name, count);
        using var done = new CountdownEvent(1);
        contender.Queue(() => done.Signal()); // the code is there, and a thread or two
        done.Wait();
        done.Reset(count + 1);
        Action item = () =>
        {
            block();
            done.Signal();
        };
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
            contender.Queue(item);
        contender.Queue(() =>
        {
            open();
            done.Signal();
        });
        done.Wait();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(start).TotalMilliseconds}"));
    }
}
