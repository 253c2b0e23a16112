using System.Diagnostics;
using System.Globalization;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// How long after it was queued a short item starts while many others block. Each sample stands behind all blocking items of its turn; the first one is queued with
/// them, its time counted from before the first of them, the others while they block. Each contestant in fresh processes.
/// </summary>
internal sealed class LatencyScenario : IScenario
{
    private static readonly string[] s_contenders = ["threads", "workqueue", "workqueue-own", "workqueue-unbound", "threadpool-raised", "threadpool"];
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(5);
    private const int Probes = 20;
    private const int LateTurns = 3;

    public string Name => "latency";

    public string Summary =>
        $"a short item behind items that block 100 ms; items=64,200,1000 kinds=sleep,own-sleep contenders={string.Join(',', s_contenders)} rounds=3 turns=10";

    public void Run(ScenarioOptions options)
    {
        int turns = options.Number("turns", 10);
        if (options.Text("in", "") is { Length: > 0 } contender)
        {
            Measure(contender, options.Text("kind", ""), options.Number("count", 0), turns);
            return;
        }

        int rounds = options.Number("rounds", 3);
        int[] items = options.Numbers("items", "64,200,1000");
        string[] kinds = options.Text("kinds", "sleep,own-sleep").Split(',');
        string[] contenders = options.Text("contenders", string.Join(',', s_contenders)).Split(',');
        options.ThrowIfAnyUnknown();

        Console.WriteLine($"A short item behind items that block 100 ms: milliseconds until it starts; {rounds} fresh processes of {turns} turns of {Probes} samples each");
        Console.WriteLine("(the thread pool as it comes: one process, one turn). threads: a thread that waits for it, beside a thread for each blocking item: the");
        Console.WriteLine("machine's own wake-up time. first: queued with the blocking items of a fresh process, from before the first of them; worst of all processes");
        Console.WriteLine($"(threads: how long it takes to make those). late p99: of the last {LateTurns} turns of each process, when the threads have been made.");
        Console.WriteLine();
        Console.WriteLine("| blocking items | how they block | contestant | p50 | p99 | worst | first | late p99 |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (int count in items)
        {
            foreach (string kind in kinds)
            {
                var samples = contenders.ToDictionary(static name => name, static _ => new List<double[]>());
                for (int round = 0; round < rounds; round++)
                {
                    foreach (string each in contenders.Where(each => round == 0 || each != "threadpool"))
                        samples[each].Add(InFreshProcess(each, kind, count, each == "threadpool" ? 1 : turns));
                }

                foreach (string each in contenders)
                {
                    double[] all = [.. samples[each].SelectMany(static of => of).Order()];
                    double[] late = [.. samples[each].SelectMany(static of => of.TakeLast(LateTurns * Probes)).Order()];
                    double first = samples[each].Max(static of => of[0]);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                        $"| {count} | {kind} | {each} | {all[all.Length / 2]:0.00} | {all[all.Length * 99 / 100]:0.00} | {all[^1]:0.00} | {first:0.00} | {late[late.Length * 99 / 100]:0.00} |"));
                }
            }
        }

        Console.WriteLine();
    }

    private static double[] InFreshProcess(string contender, string kind, int count, int turns) =>
    [
        .. SelfProcess.Run("scenario", "latency", $"in={contender}", $"kind={kind}", $"count={count}", $"turns={turns}")
            .Split(' ', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(static number => double.Parse(number, CultureInfo.InvariantCulture)),
    ];

    /// <summary>Writes the samples, milliseconds, the first one first.</summary>
    private static void Measure(string name, string kind, int count, int turns)
    {
        bool ownQueues = name == "workqueue-own";
        using Contender contender = ownQueues ? Contender.Create("workqueue", count, count + 1) : Contender.Create(name, count + Probes);
        using Prober? thread = name == "threads" ? new Prober() : null;
        bool ownSleep = kind == "own-sleep" && name.StartsWith("workqueue", StringComparison.Ordinal);
        using var done = new CountdownEvent(1);
        contender.Queue(() => done.Signal()); // the code is there, and a thread or two
        done.Wait();
        var samples = new double[turns * Probes];
        Action block = () =>
        {
            if (ownSleep)
                Worker.Sleep(Contender.BlockingTime);
            else
                Thread.Sleep(Contender.BlockingTime);
            done.Signal();
        };
        for (int turn = 0; turn < turns; turn++)
        {
            done.Reset(count + Probes);
            long begin = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++)
                contender.Queue(block, ownQueues ? i : 0);
            for (int i = 0; i < Probes; i++)
            {
                int sample = (turn * Probes) + i;
                long start = i == 0 ? begin : Stopwatch.GetTimestamp();
                Action probe = () =>
                {
                    samples[sample] = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
                    done.Signal();
                };
                if (thread is not null)
                    thread.Queue(probe);
                else
                    contender.Queue(probe, ownQueues ? count : 0);
                Thread.Sleep(s_between);
            }

            done.Wait();
        }

        Console.WriteLine(string.Join(' ', samples.Select(static sample => sample.ToString("0.0000", CultureInfo.InvariantCulture))));
    }

    /// <summary>A thread that waits for what it is given.</summary>
    private sealed class Prober : IDisposable
    {
        private readonly System.Collections.Concurrent.BlockingCollection<Action> _actions = [];
        private readonly Thread _thread;

        internal Prober()
        {
            _thread = new Thread(() =>
            {
                foreach (Action action in _actions.GetConsumingEnumerable())
                    action();
            });
            _thread.Start();
        }

        internal void Queue(Action action) => _actions.Add(action);

        public void Dispose()
        {
            _actions.CompleteAdding();
            _thread.Join();
            _actions.Dispose();
        }
    }
}
