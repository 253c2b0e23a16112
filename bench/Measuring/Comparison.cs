using System.Diagnostics;
using System.Globalization;

namespace Kworker.Bench.Measuring;

/// <summary>
/// Contestants that do the same, measured side by side: in each round every one of them runs once, and each round begins with another one, so that what
/// disturbs the machine disturbs all alike. The ratio is taken within each round: the time of the first contestant added (ours) to that of the peer, below 1
/// when ours is faster. Median, lowest and highest.
/// </summary>
/// <param name="title">What is done.</param>
internal sealed class Comparison(string title)
{
    private readonly List<Contestant> _contestants = [];

    /// <summary>How often each is measured.</summary>
    internal int Rounds { get; init; } = 9;

    /// <summary>Rounds before those, not counted: at least as many.</summary>
    internal int WarmUps { get; init; } = 2;

    /// <summary>They go on for at least as long: until the code is compiled for good.</summary>
    internal TimeSpan WarmUpTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Counts bytes allocated, by all threads of the process.</summary>
    internal bool CountsBytes { get; init; }

    /// <summary>Counts processor time, user and system, of the process.</summary>
    internal bool CountsCpu { get; init; }

    /// <summary>A contestant that is timed from outside.</summary>
    /// <param name="name">Its row.</param>
    /// <param name="operations">How many operations one <paramref name="run"/> does.</param>
    /// <param name="run">One measurement.</param>
    /// <param name="prepare">Before each, not timed.</param>
    internal Comparison Add(string name, int operations, Action run, Action? prepare = null)
    {
        _contestants.Add(new Contestant(name, operations, () =>
        {
            prepare?.Invoke();
            long start = Stopwatch.GetTimestamp();
            run();
            return Stopwatch.GetElapsedTime(start).TotalNanoseconds / operations;
        }));
        return this;
    }

    /// <summary>A contestant that times itself, such as another process.</summary>
    /// <param name="name">Its row.</param>
    /// <param name="nanoseconds">One measurement: nanoseconds per operation.</param>
    internal Comparison AddTimed(string name, Func<double> nanoseconds)
    {
        _contestants.Add(new Contestant(name, 0, nanoseconds));
        return this;
    }

    /// <summary>Runs all rounds and writes the table to the console.</summary>
    internal Comparison Run()
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < WarmUps || Stopwatch.GetElapsedTime(start) < WarmUpTime; i++)
            RunRound(i, counts: false);
        for (int i = 0; i < Rounds; i++)
            RunRound(i, counts: true);
        Write(Console.Out);
        return this;
    }

    private void RunRound(int number, bool counts)
    {
        for (int i = 0; i < _contestants.Count; i++)
            _contestants[(i + number) % _contestants.Count].Measure(counts, CountsBytes);
    }

    /// <summary>The median of a contestant, for what is computed from it: nanoseconds per operation.</summary>
    internal double MedianOf(string name) => Median(_contestants.Single(contestant => contestant.Name == name).Times);

    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>A time in the unit in which it reads best.</summary>
    internal static string Time(double nanoseconds) => nanoseconds switch
    {
        < 10_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds:0.#} ns"),
        < 10_000_000 => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e3:0.#} us"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / 1e6:0.#} ms"),
    };

    private void Write(TextWriter to)
    {
        Contestant ours = _contestants[0];
        to.WriteLine($"{title} ({Rounds} rounds; ratio: time of {ours.Name} to that of the peer)");
        to.WriteLine();
        string bytes = CountsBytes ? " B/op |" : "", cpu = CountsCpu ? " CPU/op |" : "";
        to.WriteLine($"| contestant | median | lowest to highest | ratio (lowest, highest) |{bytes}{cpu}");
        to.WriteLine($"|---|---|---|---|{(CountsBytes ? "---|" : "")}{(CountsCpu ? "---|" : "")}");
        foreach (Contestant each in _contestants)
        {
            double[] ratios = [.. ours.Times.Zip(each.Times, static (our, their) => our / their)];
            string ratio = ReferenceEquals(ours, each)
                ? ""
                : string.Create(CultureInfo.InvariantCulture, $"**{Median(ratios):0.00}** ({ratios.Min():0.00}, {ratios.Max():0.00})");
            to.Write($"| {each.Name} | {Time(Median(each.Times))} | {Time(each.Times.Min())} to {Time(each.Times.Max())} | {ratio} |");
            if (CountsBytes)
                to.Write(each.Operations == 0 ? " |" : string.Create(CultureInfo.InvariantCulture, $" {Median(each.Bytes):0.##} |"));
            if (CountsCpu)
                to.Write(each.Operations == 0 ? " |" : $" {Time(Median(each.Cpu))} |");
            to.WriteLine();
        }

        to.WriteLine();
    }

    private sealed class Contestant(string name, int operations, Func<double> measure)
    {
        internal string Name => name;

        internal int Operations => operations;

        internal List<double> Times { get; } = [];

        internal List<double> Bytes { get; } = [];

        internal List<double> Cpu { get; } = [];

        internal void Measure(bool counts, bool countsBytes)
        {
            long bytes = countsBytes ? GC.GetTotalAllocatedBytes(precise: true) : 0;
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            double time = measure();
            if (!counts)
                return;
            Cpu.Add((Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds / Math.Max(1, operations));
            Bytes.Add(countsBytes ? (double)(GC.GetTotalAllocatedBytes(precise: true) - bytes) / Math.Max(1, operations) : 0);
            Times.Add(time);
        }
    }
}
