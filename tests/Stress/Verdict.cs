using System.Collections.Concurrent;

namespace Kworker.Stress;

/// <summary>What went wrong, from all threads; the first few are kept. Once something has, everybody stops.</summary>
internal sealed class Verdict
{
    private const int Kept = 20;
    private readonly ConcurrentQueue<string> _failures = new();
    private int _count;

    internal bool HasFailed => Volatile.Read(ref _count) != 0;

    internal string Failures => string.Join("\n", _failures) + (_count > Kept ? $"\nand {_count - Kept} more" : "");

    internal void Fail(string what)
    {
        if (Interlocked.Increment(ref _count) <= Kept)
            _failures.Enqueue(what);
    }

    internal void Check(bool holds, string what)
    {
        if (!holds)
            Fail(what);
    }

    internal void Check<T>(bool holds, T state, Func<T, string> what)
    {
        if (!holds)
            Fail(what(state));
    }
}
