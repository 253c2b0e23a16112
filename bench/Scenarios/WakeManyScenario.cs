using System.Runtime.InteropServices;
using Kworker.Bench.Measuring;

namespace Kworker.Bench.Scenarios;

/// <summary>
/// Many async methods wait for one event, which comes; timed from there until the last of them has gone on, on the thread pool with every contestant.
/// That they came to wait is not timed. They count down on several words, each on that of its number, so that no two processors have one word to fight for:
/// what is measured is the waking.
/// </summary>
internal sealed class WakeManyScenario : IScenario
{
    private readonly Countdown _countdown = new(); // of the words
    private readonly Left[] _left = new Left[64];
    private Action _wake = null!;

    public string Name => "wakemany";

    public string Summary => "wake many async waiters with one call, until the last has gone on; waiters=10000 rounds=15";

    public void Run(ScenarioOptions options)
    {
        int waiters = options.Number("waiters", 10_000), rounds = options.Number("rounds", 15);
        var comparison = new Comparison($"Wake {waiters} async waiters, until the last has gone on, time of each") { Rounds = rounds, CountsCpu = true };

        void Add(string name, Func<(Func<ValueTask> Wait, Action Wake)> make) => comparison.Add(name, waiters, Wake, () =>
        {
            (Func<ValueTask> wait, _wake) = make();
            Reset(waiters);
            for (int i = 0; i < waiters; i++)
                _ = WaitAsync(wait, i * _left.Length / waiters);
        });

        Add("Completion.CompleteAll", static () =>
        {
            var completion = new Completion();
            return (() => completion.WaitAsync(), completion.CompleteAll);
        });
        Add("TaskCompletionSource", static () =>
        {
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (() => new(source.Task), source.SetResult);
        });
        Add("SemaphoreSlim.Release(n)", () =>
        {
            var semaphore = new SemaphoreSlim(0);
            return (() => new(semaphore.WaitAsync()), () => semaphore.Release(waiters));
        });
        Add("Nito.AsyncEx AsyncManualResetEvent", static () =>
        {
            var manual = new Nito.AsyncEx.AsyncManualResetEvent();
            return (() => new(manual.WaitAsync()), manual.Set);
        });
        Add("DotNext.Threading AsyncManualResetEvent", static () =>
        {
            var manual = new DotNext.Threading.AsyncManualResetEvent(initialState: false);
            return (() => manual.WaitAsync(), () => manual.Set());
        });
        Add("Microsoft.VisualStudio.Threading AsyncManualResetEvent", static () =>
        {
            var manual = new Microsoft.VisualStudio.Threading.AsyncManualResetEvent(initialState: false, allowInliningAwaiters: false);
            return (() => new(manual.WaitAsync()), manual.Set);
        });
        Add("WaitQueue.WakeUpAll", static () =>
        {
            var queue = new WaitQueue();
            bool holds = false;
            Func<bool> condition = () => Volatile.Read(ref holds);
            Action wake = () =>
            {
                Volatile.Write(ref holds, true);
                queue.WakeUpAll();
            };
            return (() => queue.WaitEventAsync(condition), wake);
        });
        Add("Twin: an IValueTaskSource each, completed by one pool thread", () =>
        {
            var twin = new SourceTwin(waiters);
            return (twin.Wait, twin.Wake);
        });
        AddTwin("Twin: stored in an array, called by one pool thread", 1);
        AddTwin("Twin: the same by two, half each", 2);
        comparison.Run();

        void AddTwin(string name, int threads) => comparison.Add(name, waiters, Wake, () =>
        {
            var twin = new ResumeTwin(waiters, threads);
            _wake = twin.Wake;
            Reset(waiters);
            for (int i = 0; i < waiters; i++)
                _ = WaitForTwinAsync(twin, i * _left.Length / waiters);
        });
    }

    private void Wake()
    {
        _wake();
        _countdown.Wait();
    }

    private void Reset(int waiters)
    {
        Array.Clear(_left);
        for (int i = 0; i < waiters; i++)
            _left[i * _left.Length / waiters].Count++;
        _countdown.Reset(Math.Min(waiters, _left.Length));
    }

    private async Task WaitAsync(Func<ValueTask> wait, int word)
    {
        await wait();
        Signal(word);
    }

    private async Task WaitForTwinAsync(ResumeTwin twin, int word)
    {
        await twin.Wait();
        Signal(word);
    }

    private void Signal(int word)
    {
        if (Interlocked.Decrement(ref _left[word].Count) == 0)
            _countdown.Signal();
    }

    /// <summary>One to a pair of cache lines.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Left
    {
        internal int Count;
    }
}
