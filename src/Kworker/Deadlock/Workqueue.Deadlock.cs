namespace Kworker;

/// <content>How its waits are recorded, and what a search asks it. See <see cref="WaitGraph"/>.</content>
public sealed partial class Workqueue
{
    private void Wait(FlushEpoch? epoch, string call)
    {
        if (epoch is null)
            return;
        WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.Begin(new QueueTarget(this, epoch, call)) : null;
        epoch.Done.Wait();
        WaitGraph.End(wait);
    }

    private ValueTask WaitAsync(FlushEpoch? epoch, string call)
    {
        if (epoch is null)
            return default;
        try
        {
            WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.BeginAsync(new QueueTarget(this, epoch, call)) : null;
            return wait is null ? epoch.Done.WaitAsync() : WaitToEnd(epoch, wait);
        }
        catch (DeadlockException e)
        {
            return ValueTask.FromException(e);
        }

        static async ValueTask WaitToEnd(FlushEpoch epoch, WaitGraph.Wait wait)
        {
            await epoch.Done.WaitAsync();
            WaitGraph.End(wait);
        }
    }

    /// <summary>Before anything is closed: who would wait for ever is refused, and has changed nothing.</summary>
    private void CheckDrain(bool isAsync)
    {
        if (!WaitGraph.CallerCounts)
            return;
        var target = new QueueTarget(this, epoch: null, "Drain");
        if (isAsync)
            WaitGraph.CheckAsync(target);
        else
            WaitGraph.Check(target);
    }

    /// <summary>Run lock: adds those in recorded waits who are items of it, running or pending behind their own run.</summary>
    internal void AddWaiters(WaitGraph.Waiters into)
    {
        foreach (WorkRun run in into.AllRuns)
        {
            if (ReferenceEquals(run.Queue, this) || (run.Work is { IsQueued: true } work && ReferenceEquals(work.Queue, this)))
                into.Add(run);
        }
    }

    /// <summary>
    /// Run lock: whether no active item will ever end, and so no inactive one begin. Active is what runs, and what is pending but behind a run of the same item,
    /// which another queue may have begun.
    /// </summary>
    internal bool AreActiveStuck(WaitGraph.Waiters stuck)
    {
        _pool.SettleStages(); // what has ended is not active any more
        int count = 0;
        foreach (WorkRun run in stuck.Runs)
        {
            if (ReferenceEquals(run.Queue, this))
                count++;
            if (run.Work is { IsQueued: true, IsInactive: false } work && ReferenceEquals(work.Queue, this))
                count++;
        }

        return count == _active;
    }

    /// <summary>Run lock: whether an item up to <paramref name="epoch"/> (null: any) will never end.</summary>
    internal bool HasStuck(WaitGraph.Waiters stuck, FlushEpoch? epoch)
    {
        foreach (WorkRun run in stuck.Runs)
        {
            if (ReferenceEquals(run.Queue, this) && IsUpTo(epoch, run.Epoch))
                return true;
            if (run.Work is { IsQueued: true } work && ReferenceEquals(work.Queue, this) && IsUpTo(epoch, work.Epoch))
                return true;
        }

        return false;
    }

    /// <summary>Run lock: whether <paramref name="asked"/> is not later than <paramref name="last"/>, which has not finished; null is later than all.</summary>
    private bool IsUpTo(FlushEpoch? last, FlushEpoch? asked)
    {
        if (last is null)
            return true;
        bool isBefore = false;
        for (FlushEpoch? epoch = _oldestEpoch; epoch is not null; epoch = epoch.Next)
        {
            isBefore |= ReferenceEquals(epoch, asked);
            if (ReferenceEquals(epoch, last))
                return isBefore;
        }

        return false; // it has finished
    }
}
