namespace Kworker.Bench.Scenarios;

/// <summary>The same for all contestants: one interlocked decrement an item, one event at the end.</summary>
internal sealed class Countdown
{
    private readonly ManualResetEventSlim _zero = new();
    private int _left;

    internal void Reset(int count)
    {
        _zero.Reset();
        Volatile.Write(ref _left, count);
    }

    /// <summary>One less; how many are left.</summary>
    internal int Signal()
    {
        int left = Interlocked.Decrement(ref _left);
        if (left == 0)
            _zero.Set();
        return left;
    }

    internal void Wait() => _zero.Wait();
}
