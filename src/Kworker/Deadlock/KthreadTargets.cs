namespace Kworker;

/// <summary>
/// A place in the line of a kthread worker: what stands there waits for all before it, so for what the thread runs now, if anything. Once it has left the line
/// it depends on nobody any more.
/// </summary>
internal sealed class KthreadLineTarget(KthreadWorker worker, DeferredItem place, string description) : WaitTarget
{
    internal override string Description => description;

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        if (worker.IsInLine(place))
            into.Add(worker.Thread);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck) => stuck.Has(worker.Thread) && worker.IsInLine(place);
}

/// <summary>One run of a kthread worker, by its number.</summary>
internal sealed class KthreadRunTarget(KthreadWorker worker, long run, string description) : WaitTarget
{
    internal override string Description => description;

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        if (worker.IsRunning(run))
            into.Add(worker.Thread);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck) => stuck.Has(worker.Thread) && worker.IsRunning(run);
}

/// <summary>The end of a kthread.</summary>
internal sealed class KthreadExitTarget(Kthread kthread) : WaitTarget
{
    internal override string Description => $"Stop of kthread {kthread.Name}";

    internal override void AddWaiters(WaitGraph.Waiters into)
    {
        if (!kthread.HasExited)
            into.Add(kthread);
    }

    internal override bool IsStuck(WaitGraph.Waiters stuck) => stuck.Has(kthread) && !kthread.HasExited;
}
