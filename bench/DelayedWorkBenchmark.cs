using BenchmarkDotNet.Attributes;

namespace Kworker.Bench;

/// <summary>Arm and cancel one more delayed item while many others are pending.</summary>
[ShortRunJob, MemoryDiagnoser]
public class DelayedWorkBenchmark
{
    private readonly List<DelayedWork> _pending = [];
    private readonly List<Timer> _pendingTimers = [];
    private Workqueue _queue = null!;
    private DelayedWork<object?> _work = null!;
    private Timer _timer = null!;
    private int _next;

    [Params(1_000, 1_000_000)]
    public int Pending { get; set; }

    [GlobalSetup(Targets = [nameof(DelayedWorkQueueCancel)])]
    public void SetupWork()
    {
        _queue = new Workqueue("bench");
        _work = new DelayedWork<object?>(null, static _ => { });
        for (int i = 0; i < Pending; i++)
        {
            var work = new DelayedWork<object?>(null, static _ => { });
            _queue.Queue(work, TimeSpan.FromMilliseconds(600_000 + (i % 100_000)));
            _pending.Add(work);
        }
    }

    [GlobalCleanup(Targets = [nameof(DelayedWorkQueueCancel)])]
    public void CleanupWork()
    {
        _pending.ForEach(static work => work.Cancel());
        _queue.Dispose();
    }

    [GlobalSetup(Targets = [nameof(TimerCreateDispose), nameof(TimerChange)])]
    public void SetupTimers()
    {
        _timer = new Timer(static _ => { });
        for (int i = 0; i < Pending; i++)
            _pendingTimers.Add(new Timer(static _ => { }, null, 600_000 + (i % 100_000), Timeout.Infinite));
    }

    [GlobalCleanup(Targets = [nameof(TimerCreateDispose), nameof(TimerChange)])]
    public void CleanupTimers()
    {
        _pendingTimers.ForEach(static timer => timer.Dispose());
        _timer.Dispose();
    }

    [Benchmark(Baseline = true)]
    public void TimerCreateDispose() => new Timer(static _ => { }, null, 300_000 + (_next++ & 0xffff), Timeout.Infinite).Dispose();

    [Benchmark]
    public void TimerChange()
    {
        _timer.Change(300_000 + (_next++ & 0xffff), Timeout.Infinite);
        _timer.Change(Timeout.Infinite, Timeout.Infinite);
    }

    [Benchmark]
    public bool DelayedWorkQueueCancel()
    {
        _queue.Queue(_work, TimeSpan.FromMilliseconds(300_000 + (_next++ & 0xffff)));
        return _work.Cancel();
    }
}
