using BenchmarkDotNet.Attributes;

namespace Kworker.Bench;

/// <summary>One round trip between two threads.</summary>
[ShortRunJob, MemoryDiagnoser]
public class CompletionBenchmark
{
    private const int RoundTrips = 2_000;
    private Kthread? _other;
    private readonly Completion _ping = new();
    private readonly Completion _pong = new();
    private readonly SemaphoreSlim _semaphorePing = new(0);
    private readonly SemaphoreSlim _semaphorePong = new(0);
    private readonly ManualResetEventSlim _eventPing = new();
    private readonly ManualResetEventSlim _eventPong = new();
    private volatile bool _stop;

    [GlobalSetup(Target = nameof(CompletionRoundTrip))]
    public void SetupCompletion() => Start(() => { _ping.Wait(); _pong.Complete(); });

    [GlobalSetup(Target = nameof(SemaphoreSlimRoundTrip))]
    public void SetupSemaphore() => Start(() => { _semaphorePing.Wait(); _semaphorePong.Release(); });

    [GlobalSetup(Target = nameof(ManualResetEventSlimRoundTrip))]
    public void SetupEvent() => Start(() => { _eventPing.Wait(); _eventPing.Reset(); _eventPong.Set(); });

    [GlobalCleanup]
    public void Cleanup()
    {
        _stop = true;
        _ping.Complete();
        _semaphorePing.Release();
        _eventPing.Set();
        _other!.Stop();
    }

    [Benchmark(OperationsPerInvoke = RoundTrips)]
    public void CompletionRoundTrip()
    {
        for (int i = 0; i < RoundTrips; i++)
        {
            _ping.Complete();
            _pong.Wait();
        }
    }

    [Benchmark(OperationsPerInvoke = RoundTrips)]
    public void SemaphoreSlimRoundTrip()
    {
        for (int i = 0; i < RoundTrips; i++)
        {
            _semaphorePing.Release();
            _semaphorePong.Wait();
        }
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = RoundTrips)]
    public void ManualResetEventSlimRoundTrip()
    {
        for (int i = 0; i < RoundTrips; i++)
        {
            _eventPing.Set();
            _eventPong.Wait();
            _eventPong.Reset();
        }
    }

    private void Start(Action answer) => _other = Kthread.Run(
        answer =>
        {
            while (!_stop)
                answer();
            return 0;
        }, answer, "bench/answer");
}
