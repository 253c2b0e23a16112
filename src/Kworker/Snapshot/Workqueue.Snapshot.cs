namespace Kworker;

/// <content>What a snapshot sees of it.</content>
public sealed partial class Workqueue
{
    private readonly string _flags;

    /// <summary>Run lock: the runs of async items that are not over.</summary>
    internal IEnumerable<WorkRun> AsyncRuns
    {
        get
        {
            for (WorkRun? run = _asyncRuns.First; run is not null; run = LinkedStack<WorkRun, WorkRun.InQueue>.After(run))
                yield return run;
        }
    }

    /// <summary>Run lock.</summary>
    internal QueueCounts Collect(SnapshotCollector into)
    {
        for (DeferredItem item = _inactive.Next!; !ReferenceEquals(item, _inactive) && !into.IsFull(this); item = item.Next!)
        {
            if (item is Work work)
                into.AddInactive(work, this);
        }

        return Count();
    }

    /// <summary>Run lock.</summary>
    internal QueueCounts Count()
    {
        _pool.SettleStages(); // what has ended is not to be counted
        int unfinished = 0;
        for (FlushEpoch? epoch = _oldestEpoch; epoch is not null; epoch = epoch.Next)
            unfinished += epoch.InFlight;
        return new QueueCounts(this, _flags, _drainers != 0, _active, _maxActive, unfinished, _queued);
    }

    /// <summary>The kernel's names of what it was made with.</summary>
    private static string FlagsOf(WorkqueueOptions options)
    {
        var flags = new List<string>();
        if (options.Unbound || options.Ordered)
            flags.Add("WQ_UNBOUND");
        if (options.Ordered)
            flags.Add("__WQ_ORDERED");
        if (options.HighPriority)
            flags.Add("WQ_HIGHPRI");
        return string.Join('|', flags);
    }
}
