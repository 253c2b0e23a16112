namespace Kworker;

/// <summary>
/// The threads that a system has: kthreads and workers, from the moment at which they begin to that at which they end. (Queues, items and timers stand in lists of
/// their own.)
/// </summary>
internal sealed class SystemRegistry
{
    private readonly Lock _lock = new();
    private readonly HashSet<Kthread> _kthreads = []; // under _lock
    private readonly HashSet<PoolWorker> _workers = []; // under _lock
    private readonly Dictionary<WorkerPool, long> _runsOfEnded = []; // of workers that have ended, by pool; under _lock

    internal void Add(Kthread kthread)
    {
        lock (_lock)
            _kthreads.Add(kthread);
    }

    internal void Remove(Kthread kthread)
    {
        lock (_lock)
            _kthreads.Remove(kthread);
    }

    internal void Add(PoolWorker worker)
    {
        lock (_lock)
            _workers.Add(worker);
    }

    internal void Remove(PoolWorker worker)
    {
        lock (_lock)
        {
            _workers.Remove(worker);
            _runsOfEnded[worker.Pool] = _runsOfEnded.GetValueOrDefault(worker.Pool) + worker.Runs;
        }
    }

    /// <summary>Workers, those that idle included.</summary>
    internal PoolWorker[] Workers
    {
        get
        {
            lock (_lock)
                return [.. _workers];
        }
    }

    /// <summary>Runs of items that a pool's workers have begun so far.</summary>
    internal long RunsOf(WorkerPool pool)
    {
        lock (_lock)
        {
            long runs = _runsOfEnded.GetValueOrDefault(pool);
            foreach (PoolWorker worker in _workers)
            {
                if (ReferenceEquals(worker.Pool, pool))
                    runs += worker.Runs;
            }

            return runs;
        }
    }

    internal Kthread[] Kthreads
    {
        get
        {
            lock (_lock)
                return [.. _kthreads];
        }
    }

    internal int KthreadCount
    {
        get
        {
            lock (_lock)
                return _kthreads.Count;
        }
    }
}
