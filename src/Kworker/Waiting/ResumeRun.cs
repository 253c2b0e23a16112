namespace Kworker;

/// <summary>
/// Async methods that one call woke and that go on on the .NET thread pool, in the order in which they were woken: a run takes one after another, so
/// that not each of them need be queued there.
/// <para>
/// None of them may wait for another to come back from what it does, however long that takes. So while any is left, a run stands in the pool's
/// queue: it queues the next one before it takes anything. Where all that have begun are held up, the pool begins the one in its queue, as it
/// would begin each of the methods. A run is over after some of them, so that others in the queue have their turn.
/// </para>
/// </summary>
internal sealed class ResumeRun : IThreadPoolWorkItem
{
    private const int MostInOne = 256;

    /// <summary>
    /// The next to go on, linked by <c>NextToResume</c>; null when all have. Moved by compare-and-swap. It only goes forward, and none comes back into
    /// this list: so when it is what it was, its link is what was read.
    /// </summary>
    private Waiter? _next;

    private ResumeRun(Waiter first) => _next = first;

    internal static void Queue(AsyncWaiter first) =>
        Seam.QueueToCaller(first.NextToResume is null ? first : new ResumeRun(first));

    void IThreadPoolWorkItem.Execute()
    {
        if (Seam.Read(in _next) is null)
            return;
        Seam.QueueToCaller(this, preferLocal: false);
        ExecutionContext? executionContext = ExecutionContext.Capture();
        for (int i = 0; i < MostInOne && Take() is { } waiter; i++)
        {
            waiter.Run();
            // What it left on the thread is not the next one's.
            if (executionContext is not null && !ReferenceEquals(ExecutionContext.Capture(), executionContext))
                ExecutionContext.Restore(executionContext);
            if (SynchronizationContext.Current is not null)
                SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    private AsyncWaiter? Take()
    {
        Waiter? first = Seam.Read(in _next);
        while (first is not null)
        {
            Waiter? seen = Seam.CompareExchange(ref _next, Seam.Read(in first.NextToResume), first);
            if (ReferenceEquals(seen, first))
            {
                first.NextToResume = null;
                return (AsyncWaiter)first;
            }

            first = seen;
        }

        return null;
    }
}
