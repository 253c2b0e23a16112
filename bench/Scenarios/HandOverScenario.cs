using System.Globalization;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>Two threads hand over to each other: one round trip is two hand-overs.</summary>
internal sealed class HandOverScenario : IScenario
{
    public string Name => "handover";

    public string Summary => "two threads hand over to each other, round trip, beside C and futexes; trips=100000 rounds=15";

    public void Run(ScenarioOptions options)
    {
        int trips = options.Number("trips", 100_000), rounds = options.Number("rounds", 15);
        var comparison = new Comparison("Hand-over between two threads, round trip") { Rounds = rounds, CountsBytes = true, CountsCpu = true };
        // Not in one cache line: the twin's words do not share one either, nor would two objects that lie apart.
        Completion[] apart = [.. Enumerable.Range(0, 9).Select(static _ => new Completion())];
        Completion ping = apart[0], pong = apart[8];
        using var completion = new Pair(ping.Complete, () => ping.Wait(), pong.Complete, () => pong.Wait());
        using ManualResetEventSlim slimPing = new(), slimPong = new();
        using var slim = new Pair(
            slimPing.Set,
            () =>
            {
                slimPing.Wait();
                slimPing.Reset();
            },
            slimPong.Set,
            () =>
            {
                slimPong.Wait();
                slimPong.Reset();
            });
        using SemaphoreSlim semaphorePing = new(0), semaphorePong = new(0);
        using var semaphore = new Pair(() => semaphorePing.Release(), semaphorePing.Wait, () => semaphorePong.Release(), semaphorePong.Wait);
        WaitQueue queue = new();
        int turn = 0;
        Func<bool> isPing = () => Volatile.Read(ref turn) == 1, isPong = () => Volatile.Read(ref turn) == 0;
        using var waitQueue = new Pair(
            () =>
            {
                Volatile.Write(ref turn, 1);
                queue.WakeUp();
            },
            () => queue.WaitEvent(isPing),
            () =>
            {
                Volatile.Write(ref turn, 0);
                queue.WakeUp();
            },
            () => queue.WaitEvent(isPong));

        comparison
            .Add("Completion", trips, () => completion.Play(trips))
            .Add("ManualResetEventSlim", trips, () => slim.Play(trips))
            .Add("SemaphoreSlim", trips, () => semaphore.Play(trips))
            .Add("WaitQueue.WaitEvent", trips, () => waitQueue.Play(trips));
        using CTwin? twin = CTwin.Compile("handover.c");
        if (twin is not null)
        {
            comparison
                .AddTimed("C, looks, then futex", () => Twin(twin, 2_000, trips))
                .AddTimed("C, futex", () => Twin(twin, 0, trips / 10));
        }

        comparison.Run();
    }

    private static double Twin(CTwin twin, int looks, int trips) => double.Parse(
        twin.Run(looks.ToString(CultureInfo.InvariantCulture), trips.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);

    /// <summary>This thread and another. The other one sleeps while its pair does not play.</summary>
    private sealed class Pair : IDisposable
    {
        private readonly Action _givePing;
        private readonly Action _takePong;
        private readonly Thread _other;
        private volatile bool _ends;

        internal Pair(Action givePing, Action takePing, Action givePong, Action takePong)
        {
            _givePing = givePing;
            _takePong = takePong;
            _other = new Thread(() =>
            {
                while (true)
                {
                    takePing();
                    if (_ends)
                        return;
                    givePong();
                }
            })
            { IsBackground = true };
            _other.Start();
        }

        internal void Play(int trips)
        {
            for (int i = 0; i < trips; i++)
            {
                _givePing();
                _takePong();
            }
        }

        public void Dispose()
        {
            _ends = true;
            _givePing();
            _other.Join();
        }
    }
}
