namespace Kworker.Tests.Models;

/// <summary>An item to which several threads do something: each operation goes into its history, with its answer.</summary>
internal abstract class RecordedItem
{
    /// <summary>A time that is never over while the test runs.</summary>
    private static readonly TimeSpan s_never = TimeSpan.FromDays(1);

    private long _lastEnd;

    internal History History { get; } = new();

    /// <summary>Each queues the item somewhere, modifies it there, and so on.</summary>
    protected abstract bool QueueNow(TimeSpan delay);

    protected abstract bool ModifyNow(TimeSpan delay);

    internal void Queue(string who, bool later = false)
    {
        long called = History.Now();
        bool queued = QueueNow(later ? s_never : TimeSpan.Zero);
        History.Add($"{who} queues{(later ? " for later" : "")}: {queued}", called, History.Now(), item => item.Queue(later, queued));
    }

    internal void Modify(int thread, bool later)
    {
        long called = History.Now();
        bool modified = ModifyNow(later ? s_never : TimeSpan.Zero);
        History.Add($"{thread} modifies{(later ? " for later" : "")}: {modified}", called, History.Now(), item => item.Modify(later, modified));
    }

    internal void CancelSync(int thread, Func<bool> cancelSync)
    {
        long called = History.Now();
        bool cancelled = cancelSync();
        History.Add($"{thread} cancels and waits: {cancelled}", called, History.Now(), item => item.BeginCancelSync(cancelled), static item => item.EndCancelSync());
    }

    internal void Flush(int thread, Action flush)
    {
        long called = History.Now();
        flush();
        History.Add($"{thread} flushes", called, History.Now(), item => item.BeginFlush(thread), item => item.EndFlush(thread));
    }

    /// <summary>By its function, first and last.</summary>
    protected void Begins() => History.AddBegin(_lastEnd, History.Now());

    protected void Ends()
    {
        _lastEnd = History.Now();
        History.AddEnd(_lastEnd);
    }

    /// <summary>The answer of a call that does not hold its thread.</summary>
    protected static T Await<T>(ValueTask<T> call) => call.AsTask().GetAwaiter().GetResult();

    protected static void Await(ValueTask call) => call.AsTask().GetAwaiter().GetResult();
}
