namespace Kworker;

/// <content>How its threads are made, and what happens when none can be had.</content>
internal sealed partial class WorkerPool
{
    /// <summary>Makes the thread that a plan asked for. On failure the work stays, rescuers are called, and after a while another attempt is made.</summary>
    internal void StartWorker()
    {
        var worker = new PoolWorker(this, $"kworker/{name}:{Interlocked.Increment(ref _made) - 1}");
        Exception? failure = null;
        try
        {
            system.BeforeThread?.Invoke(worker.Name);
            worker.Start(Priority);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            failure = e;
        }

        system.RunLock.Enter();
        _isStarting = false;
        NeedsPlan = true; // for what was added while the thread was being made
        Rescuer? called = null;
        if (failure is not null)
        {
            _workers--;
            _arriving--;
            _making--;
            CountRunning(-1);
            NeedsPlan = false; // not at once
            SetHunger();
            called = CallRescuers();
            _isRetrying = true;
        }

        system.RunLock.Exit();
        Rescue(called);
        if (failure is null)
            return;
        system.Counters.AddThreadFailed();
        TracePoints.ThreadFailed(name, failure);
        system.Log($"kworker: no thread for {worker.Name}: {failure.Message}");
        try
        {
            system.Timers.Arm(new Retry(this), s_retryAfter);
        }
        catch (OutOfMemoryException)
        {
            TryAgainWithNext(); // not even a thread for the timers: the next item that comes makes the next attempt
        }
    }

    private void TryAgainWithNext()
    {
        system.RunLock.Enter();
        _isRetrying = false;
        system.RunLock.Exit();
    }

    private void TryAgain()
    {
        system.RunLock.Enter();
        _isRetrying = false;
        NeedsPlan = true;
        system.RunLock.Exit();
    }

    /// <summary>The rescuers of queues with items in the list, to be woken.</summary>
    private Rescuer? CallRescuers()
    {
        EmptyInbox();
        Rescuer? called = null;
        for (DeferredItem item = _items.Next!; !ReferenceEquals(item, _items); item = item.Next!)
        {
            if (QueueOf(item) is { Rescuer: { } rescuer } && rescuer.Call())
            {
                rescuer.NextCalled = called;
                called = rescuer;
            }
        }

        return called;
    }

    /// <summary>Without the lock: wakes those that <see cref="CallRescuers"/> returned.</summary>
    internal void Rescue(Rescuer? called)
    {
        while (called is not null)
        {
            Rescuer? next = called.NextCalled;
            called.NextCalled = null;
            system.Counters.AddRescue();
            TracePoints.Rescued(called.QueueName);
            called.Wake();
            called = next;
        }
    }

    /// <summary>Without the lock: the bound on workers was reached.</summary>
    internal void ReportCap()
    {
        system.Counters.AddCapReached();
        TracePoints.CapReached(name, maxWorkers);
        system.Log($"kworker/{name}: {maxWorkers} workers, and work waits: no more are made.");
    }

    private sealed class Retry(WorkerPool pool) : TimedItem
    {
        internal override void Expire() => pool.TryAgain();
    }
}
