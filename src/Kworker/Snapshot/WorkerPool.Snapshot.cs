namespace Kworker;

/// <content>What a snapshot and the watchdog see of it.</content>
internal sealed partial class WorkerPool
{
    internal string Name => name;

    /// <summary>How many may run at once; null when it does not count them.</summary>
    internal int? MaxRunning => IsManaged ? maxRunning : null;

    /// <summary>Run lock: items wait for a worker, those that one has taken ahead included.</summary>
    internal bool HasWaiting
    {
        get
        {
            if (!_items.IsEmpty)
                return true;
            for (PoolWorker? worker = _busy.First; worker is not null; worker = LinkedStack<PoolWorker, PoolWorker.InPool>.After(worker))
            {
                if (worker.HasWaiting)
                    return true;
            }

            return false;
        }
    }

    /// <summary>Run lock.</summary>
    internal PoolCounts Collect(SnapshotCollector into)
    {
        int left = into.MaxItems;
        for (DeferredItem item = _items.Next!; !ReferenceEquals(item, _items) && left-- > 0; item = item.Next!)
            into.AddPending(item);
        return Count();
    }

    /// <summary>Takes the run lock for it.</summary>
    internal PoolCounts LockAndCount()
    {
        system.RunLock.Enter();
        PoolCounts counts = Count();
        system.RunLock.Exit();
        return counts;
    }

    private PoolCounts Count() => new(this, _workers, _idleCount, IsManaged ? _running : _workers - _idleCount, HasWaiting);
}
