namespace Kworker;

/// <summary>
/// A thread that a queue made for reclaim (<see cref="WorkqueueOptions.MemReclaim"/>) has from its beginning: when its pool has work waiting and cannot have a
/// thread for it, this one runs the queue's items, one after the other (the kernel's rescuer).
/// </summary>
internal sealed class Rescuer
{
    private readonly Workqueue _queue;
    private readonly PoolWorker _worker;

    /// <summary>Called, and not yet gone through the list. Lock: the run lock.</summary>
    private bool _isCalled;

    /// <summary>Lock: the run lock.</summary>
    private bool _isStopping;

    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    internal Rescuer(Workqueue queue)
    {
        _queue = queue;
        _worker = new PoolWorker(queue.Pool, $"kworker/R-{queue.Name}", this);
        _worker.Start(queue.Pool.Priority);
    }

    internal string QueueName => _queue.Name;

    /// <summary>Link of those to be woken when the run lock has been let go of.</summary>
    internal Rescuer? NextCalled { get; set; }

    /// <summary>Run lock: items of its queue wait. True when the caller is to wake it afterwards.</summary>
    internal bool Call()
    {
        if (_isCalled)
            return false;
        _isCalled = true;
        return true;
    }

    internal void Wake() => _worker.Unpark();

    /// <summary>The queue is empty for good: the thread ends.</summary>
    internal void Stop()
    {
        RunLock runLock = _queue.OwningSystem.RunLock;
        runLock.Enter();
        _isStopping = true;
        runLock.Exit();
        _worker.Unpark();
    }

    /// <summary>Run lock, by its thread: the next item of its queue; null when there is none, or nobody has called.</summary>
    internal DeferredItem? NextItem()
    {
        DeferredItem? item = _isCalled ? _queue.Pool.FirstOf(_queue) : null;
        if (item is null)
            _isCalled = false;
        return item;
    }

    /// <summary>Run lock: it has nothing to do.</summary>
    internal bool IsIdle => !_isCalled && !_isStopping;

    /// <summary>Run lock.</summary>
    internal bool IsStopping => _isStopping;
}
