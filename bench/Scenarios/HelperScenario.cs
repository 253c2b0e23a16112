using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// Run a program that does nothing, and have its exit status; one at a time and many in flight, with a small heap and a large one. Each contestant is a process of
/// its own that is asked over and over: once a process has used <see cref="Process"/>, the runtime looks after every child that ends there, ours as well.
/// (Calls with and without a task share one, so that there are not more than three large heaps at once.)
/// </summary>
internal sealed class HelperScenario : IScenario
{
    private const string Program = "/bin/true";
    private static readonly string[] s_arguments = [Program];
    private static readonly string[] s_environment = ["HOME=/"];

    public string Name => "helper";

    public string Summary => "run /bin/true and have its exit status, beside a C twin and Process; flights=1,64 heaps=0,4 (GiB) rounds=21 operations=64";

    public void Run(ScenarioOptions options)
    {
        if (options.Text("in", "") is { Length: > 0 } contestant)
        {
            Answer(contestant, options.Number("heap", 0));
            return;
        }

        int rounds = options.Number("rounds", 21), operations = options.Number("operations", 64);
        int[] flights = options.Numbers("flights", "1,64"), heaps = options.Numbers("heaps", "0,4");
        options.ThrowIfAnyUnknown();
        using CTwin? twin = CTwin.Compile("spawn.c");
        foreach (int heap in heaps)
        {
            foreach (int flight in flights)
                Compare(twin, heap, flight, rounds, operations);
        }
    }

    private static void Compare(CTwin? twin, int heap, int flight, int rounds, int operations)
    {
        string size = heap == 0 ? "a small heap" : $"a heap of {heap} GiB";
        var comparison = new Comparison($"Run {Program}, {(flight == 1 ? "one at a time" : $"{flight} in flight")}, with {size}") { Rounds = rounds };
        var peers = new List<Peer>();
        void Add(string name, Process process, string mode)
        {
            var peer = new Peer(name, process, $"{(flight == 1 ? operations : Math.Max(operations, flight * 2))} {flight} {mode}");
            peers.Add(peer);
            comparison.AddTimed(name, peer.Measure);
        }

        using Process ours = Self("ours", heap);
        using Process runtimes = Self("process", heap);
        using Process? native = twin?.Start($"{heap}");

        // In flight together there are none of those that hold a thread each.
        if (flight == 1)
            Add("UserModeHelper.Call", ours, "sync");
        Add("UserModeHelper.CallAsync", ours, "async");
        if (native is not null)
            Add("C: posix_spawn, waitpid", native, "sync");
        if (flight == 1)
            Add("Process, WaitForExit", runtimes, "sync");
        Add("Process, WaitForExitAsync", runtimes, "async");
        comparison.Run();

        Console.WriteLine("| contestant | CPU/op of the parent | B/op | threads at most |");
        Console.WriteLine("|---|---|---|---|");
        foreach (Peer peer in peers)
            Console.WriteLine(peer.Row);
        Console.WriteLine();
        foreach (Process process in new[] { ours, runtimes, native }.OfType<Process>())
        {
            process.StandardInput.Close();
            process.WaitForExit();
        }
    }

    private static Process Self(string contestant, int heap) => Process.Start(
        new ProcessStartInfo(Environment.ProcessPath!, ["scenario", "helper", $"in={contestant}", $"heap={heap}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    /// <summary>What <c>spawn.c</c> does, in one of the contestants of this program.</summary>
    private static unsafe void Answer(string contestant, int heap)
    {
        nuint size = (nuint)heap << 30;
        byte* memory = (byte*)NativeMemory.Alloc(size);
        for (nuint i = 0; i < size; i += 4096)
            memory[i] = 1;

        Func<Task<int>> runAsync = contestant == "ours" ? RunOursAsync : RunProcessAsync;
        Func<int> run = contestant == "ours" ? RunOurs : RunProcess;
        while (Console.ReadLine()?.Split(' ') is [var first, var second, var mode])
        {
            int operations = int.Parse(first, CultureInfo.InvariantCulture), inFlight = int.Parse(second, CultureInfo.InvariantCulture);
            long bytes = GC.GetTotalAllocatedBytes(precise: true);
            TimeSpan cpu = Environment.CpuUsage.TotalTime;
            long start = Stopwatch.GetTimestamp();
            for (int done = 0; done < operations; done += inFlight)
            {
                if (mode == "sync")
                    Check(run());
                else
                    RunTogetherAsync(runAsync, inFlight).GetAwaiter().GetResult();
            }

            TimeSpan time = Stopwatch.GetElapsedTime(start);
            cpu = Environment.CpuUsage.TotalTime - cpu;
            bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
            int threads = Directory.GetDirectories("/proc/self/task").Length;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{time.TotalNanoseconds / operations:0} {cpu.TotalNanoseconds / operations:0} {bytes / operations} {threads}"));
        }

        NativeMemory.Free(memory);
    }

    private static async Task RunTogetherAsync(Func<Task<int>> run, int count)
    {
        if (count == 1)
        {
            Check(await run());
            return;
        }

        var statuses = new Task<int>[count];
        for (int i = 0; i < count; i++)
            statuses[i] = run();
        foreach (Task<int> status in statuses)
            Check(await status);
    }

    private static int RunOurs() => UserModeHelper.Call(Program, s_arguments, s_environment, HelperWait.WaitProc).Raw;

    private static async Task<int> RunOursAsync() => (await UserModeHelper.CallAsync(Program, s_arguments, s_environment, HelperWait.WaitProc)).Raw;

    private static int RunProcess()
    {
        using Process process = Process.Start(new ProcessStartInfo(Program))!;
        process.WaitForExit();
        return process.ExitCode;
    }

    private static async Task<int> RunProcessAsync()
    {
        using Process process = Process.Start(new ProcessStartInfo(Program))!;
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private static void Check(int status)
    {
        if (status != 0)
            throw new InvalidOperationException($"{Program} ended with {status}.");
    }

    /// <summary>One contestant: a process, and what it is asked for.</summary>
    private sealed class Peer(string name, Process process, string question)
    {
        private readonly List<double[]> _answers = [];

        internal string Row =>
            string.Create(CultureInfo.InvariantCulture, $"| {name} | {Comparison.Time(Median(1))} | {Median(2):0} | {_answers.Max(static answer => answer[3])} |");

        /// <summary>Nanoseconds per operation.</summary>
        internal double Measure()
        {
            process.StandardInput.WriteLine(question);
            process.StandardInput.Flush();
            string line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{name} ended.");
            double[] answer = [.. line.Split(' ').Select(static number => double.Parse(number, CultureInfo.InvariantCulture))];
            _answers.Add(answer);
            return answer[0];
        }

        private double Median(int column) => Comparison.Median(_answers.Select(answer => answer[column]));
    }
}
