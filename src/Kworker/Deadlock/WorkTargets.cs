namespace Kworker;

/// <summary>What a barrier stands behind: a run of a work item, one in progress or one that is still to come.</summary>
internal sealed class FlushTarget(FlushBarrier barrier, Work work) : WaitTarget
{
    internal override string Description => $"Flush of {work.FunctionName} (workqueue {barrier.Queue.Name})";

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        using WaitGraph.Look look = into.LookAt(barrier.Queue.OwningSystem);
        if (work.FindRun() is { } run)
            into.Add(run);
        if (Pending() is { IsInactive: true, Queue: { } queue })
            queue.AddWaiters(into);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck)
    {
        using WaitGraph.Look look = stuck.LookAt(barrier.Queue.OwningSystem);
        if (Pending() is { } pending)
            return (pending.FindRun() is { } before && stuck.Has(before)) || (pending.IsInactive && pending.Queue!.AreActiveStuck(stuck));
        return work.FindRun() is { } run && stuck.Has(run) && IsBehind(run);
    }

    /// <summary>The item whose next run the barrier waits for; null when it has begun, or was taken back. Run lock.</summary>
    private Work? Pending()
    {
        if (!barrier.IsLinked)
            return null;
        DeferredItem first = barrier;
        while (first.Previous is FlushBarrier { IsTied: true } before)
            first = before;
        return first.Previous is Work { IsTied: true } pending ? pending : null;
    }

    /// <summary>
    /// Whether the barrier is the next, but for other barriers, when <paramref name="run"/> is over. Else that is a later run of the item, and the one that the barrier
    /// stood behind has ended. Run lock.
    /// </summary>
    private bool IsBehind(WorkRun run)
    {
        if (!barrier.IsLinked)
            return false;
        DeferredItem first = barrier;
        while (first.Previous is FlushBarrier before)
            first = before;
        return ReferenceEquals(first.Previous, run.Scheduled);
    }
}

/// <summary>
/// The run in progress of a work item, whichever it is. For a wait that is recorded only while it would have to wait for any: a cancel-sync, until it lets the item
/// be queued again.
/// </summary>
internal sealed class RunTarget(Work work, KworkerSystem system, string call) : WaitTarget
{
    internal override string Description => $"{call} of {work.FunctionName}{(work.RunInProgress?.Queue is { } queue ? $" (workqueue {queue.Name})" : "")}";

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        using WaitGraph.Look look = into.LookAt(system);
        if (work.FindRun() is { } run)
            into.Add(run);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck)
    {
        using WaitGraph.Look look = stuck.LookAt(system);
        return work.FindRun() is { } run && stuck.Has(run);
    }
}

/// <summary>
/// All items of a queue up to an epoch, or all that there are. An inactive one among them need not be looked at: it can be stuck only if all active ones are, which
/// came before it.
/// </summary>
internal sealed class QueueTarget(Workqueue queue, FlushEpoch? epoch, string call) : WaitTarget
{
    internal override string Description => $"{call} of workqueue {queue.Name}";

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        using WaitGraph.Look look = into.LookAt(queue.OwningSystem);
        queue.AddWaiters(into);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck)
    {
        using WaitGraph.Look look = stuck.LookAt(queue.OwningSystem);
        return queue.HasStuck(stuck, epoch);
    }
}
