namespace Kworker;

/// <content>What a snapshot and the watchdog see of it.</content>
public sealed partial class Kthread
{
    internal KthreadSnapshot ToSnapshot(int maxItems, IReadOnlyList<WorkItemSnapshot> delayed)
    {
        _lock.Enter();
        Waiter? waiter = _waiters.First;
        WaitMode? waits = waiter?.Mode;
        string? waitsFor = waiter is null ? null : Describe(waiter.Ties?.Object);
        _lock.Exit();
        int flags = Seam.Read(in _flags);
        return new KthreadSnapshot
        {
            Name = Name,
            ThreadId = ThreadId,
            IsParked = (flags & IsParkedBit) != 0,
            ShouldStop = (flags & ShouldStopBit) != 0,
            Waits = waits,
            WaitsFor = waitsFor,
            WaitsAt = waiter is null ? null : WaitStacks.Of(waiter),
            Waited = System.Watchdog.WaitTimeOf(this),
            IsWorker = Worker is not null,
            Function = Worker?.RunInProgress is null ? null : Worker.CurrentFunction,
            Pending = Worker?.PendingFunctions(maxItems) ?? [],
            Delayed = delayed,
        };
    }

    private string Describe(IWaitObject? waitsFor)
    {
        if (ReferenceEquals(waitsFor, _unpark))
            return "to be unparked";
        if (waitsFor is not null && ReferenceEquals(waitsFor, Idles))
            return "something to do";
        return waitsFor is Completion ? "a completion" : "a wait queue";
    }

    /// <summary>The stack at which the wait began that its thread sleeps in; null when it is in none, and where stacks are not recorded.</summary>
    internal string? BlockedAt
    {
        get
        {
            if (!Listeners.Stacks)
                return null;
            _lock.Enter();
            Waiter? waiter = _waiters.First;
            while (waiter is not null and not ThreadWaiter) // what it awaits does not hold the thread
                waiter = LinkedStack<Waiter, WaitTies.OfTask>.After(waiter);
            _lock.Exit();
            return waiter is null ? null : WaitStacks.Of(waiter);
        }
    }

    /// <summary>
    /// The waits that it is in which nothing but their own end can end, each with its number; not those in which it waits to be unparked, or for something to do.
    /// </summary>
    internal List<(Waiter Waiter, int Number)> UninterruptibleWaits()
    {
        var waits = new List<(Waiter, int)>();
        _lock.Enter();
        for (Waiter? waiter = _waiters.First; waiter is not null; waiter = LinkedStack<Waiter, WaitTies.OfTask>.After(waiter))
        {
            WaitTies ties = waiter.Ties!;
            if (waiter.Mode == WaitMode.Uninterruptible && !ties.HasTimeout && !ReferenceEquals(ties.Object, _unpark) && !ReferenceEquals(ties.Object, Idles))
                waits.Add((waiter, ties.Waits));
        }

        _lock.Exit();
        return waits;
    }
}
