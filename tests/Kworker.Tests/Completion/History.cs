using System.Collections.Concurrent;
using System.Globalization;

namespace Kworker.Tests;

/// <summary>
/// What several threads did at once and what they were answered, with the order of beginnings and ends. It is linearizable when there is an order of
/// all operations, each somewhere between its beginning and its end, in which a model that does one at a time gives the same answers.
/// </summary>
/// <typeparam name="TOperation">What was done.</typeparam>
/// <typeparam name="TAnswer">What came of it.</typeparam>
internal sealed class History<TOperation, TAnswer>
{
    private readonly ConcurrentBag<Entry> _entries = [];
    private int _clock;

    /// <summary>Does an operation and writes it down.</summary>
    internal TAnswer Record(TOperation operation, Func<TAnswer> perform)
    {
        int begin = Interlocked.Increment(ref _clock);
        TAnswer answer = perform();
        _entries.Add(new Entry(operation, answer, begin, Interlocked.Increment(ref _clock)));
        return answer;
    }

    /// <summary>Fails with the history when there is no such order.</summary>
    /// <param name="initial">The model's state before all.</param>
    /// <param name="step">The state after an operation with this answer; null when the model would not have given it.</param>
    internal void AssertLinearizable<TState>(TState initial, Func<TState, TOperation, TAnswer, TState?> step)
        where TState : struct
    {
        Entry[] entries = [.. _entries.OrderBy(static entry => entry.Begin)];
        Assert.InRange(entries.Length, 0, 62);
        if (!Search(entries, 0, initial, step, []))
            Assert.Fail("No order of these explains their answers:\n" + string.Join('\n', entries.Select(static entry => entry.ToString())));
    }

    private static bool Search<TState>(
        Entry[] entries, long done, TState state, Func<TState, TOperation, TAnswer, TState?> step, HashSet<(long, TState)> tried)
        where TState : struct
    {
        if (done == (1L << entries.Length) - 1)
            return true;
        if (!tried.Add((done, state)))
            return false;
        // The next one is any that began before the first of those left had ended.
        int firstEnd = int.MaxValue;
        for (int i = 0; i < entries.Length; i++)
        {
            if ((done & (1L << i)) == 0)
                firstEnd = Math.Min(firstEnd, entries[i].End);
        }

        for (int i = 0; i < entries.Length && entries[i].Begin < firstEnd; i++)
        {
            if ((done & (1L << i)) == 0
                && step(state, entries[i].Operation, entries[i].Answer) is { } next
                && Search(entries, done | (1L << i), next, step, tried))
            {
                return true;
            }
        }

        return false;
    }

    private sealed record Entry(TOperation Operation, TAnswer Answer, int Begin, int End)
    {
        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"  {Begin,3}..{End,3} {Operation} -> {Answer}");
    }
}

/// <summary>Threads that begin together, each with its own list of things to do.</summary>
internal static class Together
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Runs them to their end. One that does not come to its end is a wake-up that was lost.</summary>
    internal static void Run(params Action[] bodies)
    {
        using var begin = new Barrier(bodies.Length);
        var failures = new ConcurrentQueue<Exception>();
        Thread[] threads = [.. bodies.Select(body => new Thread(() =>
        {
            begin.SignalAndWait();
            try
            {
                body();
            }
            catch (Exception e)
            {
                failures.Enqueue(e);
            }
        })
        { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            Assert.True(thread.Join(s_patience), "It waits for ever.");
        if (failures.TryDequeue(out Exception? failure))
            throw new AggregateException(failure);
    }
}
