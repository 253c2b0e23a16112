using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A kthread that runs work items one at a time, in order (<c>struct kthread_worker</c>): for work that must be done by one certain thread.
/// All members are safe to call from any thread.
/// </summary>
[DebuggerDisplay("{Name,nq}")]
public sealed class KthreadWorker : IDisposable, IAsyncDisposable
{
    private readonly Kthread _thread;
    private readonly KworkerSystem _system;
    private readonly WaitQueue _hasWork = new();

    // All of these: lock, _lock.
    private Spinlock _lock;
    private readonly ItemList _items = new();
    private DeferredItem? _current; // what runs
    private bool _isDisposed;
    private bool _hasEnded; // the thread looks at the list no more; set by it

    /// <summary>Makes the thread and starts it (<c>kthread_create_worker</c>).</summary>
    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    public KthreadWorker(string name, KworkerSystem? system = null)
    {
        _system = system ?? KworkerSystem.Current;
        _thread = Kthread.Run(static self => self.Run(), this, name, _system);
    }

    /// <summary>An exception left a work function. With no handler the <see cref="KworkerSystemOptions.Log"/> has it; the thread goes on.</summary>
    public event EventHandler<UnhandledExceptionEventArgs>? UnhandledException;

    /// <summary>The thread's name.</summary>
    public string Name => _thread.Name;

    /// <summary>Queues an item (<c>kthread_queue_work</c>); false when it is pending already or being cancelled.</summary>
    /// <exception cref="InvalidOperationException">The item belongs to another worker.</exception>
    /// <exception cref="ObjectDisposedException">The worker has been disposed of.</exception>
    public bool Queue(KthreadWork work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Enter(work);
        bool queued = !work.IsPending && work.Cancelling == 0;
        if (queued)
            Add(work);
        _lock.Exit();
        if (queued)
            _hasWork.WakeUp();
        return queued;
    }

    /// <summary>Queues an item after a delay (<c>kthread_queue_delayed_work</c>); false when it is pending already or being cancelled.</summary>
    /// <param name="work">The item.</param>
    /// <param name="delay">Never early. Zero or less queues it at once.</param>
    /// <exception cref="InvalidOperationException">The item belongs to another worker.</exception>
    /// <exception cref="ObjectDisposedException">The worker has been disposed of.</exception>
    public bool Queue(KthreadDelayedWork work, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(work);
        Enter(work);
        bool queued = !work.IsPending && work.Cancelling == 0;
        bool program = queued && Start(work, delay);
        _lock.Exit();
        if (program)
            _system.Timers.Program();
        else if (queued)
            _hasWork.WakeUp();
        return queued;
    }

    /// <summary>
    /// Queues an item after a delay, whether it is pending or not (<c>kthread_mod_delayed_work</c>). While it is being cancelled nothing happens, and
    /// that, too, counts as pending.
    /// </summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="InvalidOperationException">The item belongs to another worker.</exception>
    /// <exception cref="ObjectDisposedException">The worker has been disposed of.</exception>
    public bool Modify(KthreadDelayedWork work, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(work);
        Enter(work);
        if (work.Cancelling > 0)
        {
            _lock.Exit();
            return true;
        }

        bool wasPending = TakeBack(work);
        bool program = Start(work, delay);
        _lock.Exit();
        if (program)
            _system.Timers.Program();
        else
            _hasWork.WakeUp();
        return wasPending;
    }

    /// <summary>Waits until all that is queued is done (<c>kthread_flush_worker</c>); items whose time runs are not waited for.</summary>
    public void Flush() => AddMarker()?.Wait();

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => AddMarker() is { } done ? done.WaitAsync() : default;

    /// <summary>Lets it finish what is queued, then stops the thread (<c>kthread_destroy_worker</c>). Cancel delayed items first.</summary>
    public void Dispose()
    {
        Close()?.Wait();
        _thread.Stop();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        if (Close() is { } done)
            await done.WaitAsync();
        await _thread.StopAsync();
    }

    /// <summary>On the thread that drives the wheel: the item's time has come.</summary>
    internal void Expired(KthreadDelayedWork work)
    {
        bool dropped = false;
        _lock.Enter();
        if (work.StaleFirings > 0)
        {
            work.StaleFirings--; // taken back after the timer had begun to fire
        }
        else
        {
            work.IsDelayed = false;
            dropped = _hasEnded;
            if (dropped)
                work.IsPending = false;
            else
                _items.AddLast(work);
        }

        _lock.Exit();
        if (dropped)
            _system.Log($"kthread worker {Name}: {work.FunctionName} came due after the worker had been disposed of.");
        else
            _hasWork.WakeUp();
    }

    /// <summary>Takes the item back; when it runs, refuses it from now on and gives what completes behind the run.</summary>
    internal bool BeginCancel(KthreadWork work, out Completion? run)
    {
        run = null;
        _lock.Enter();
        bool taken = TakeBack(work);
        if (ReferenceEquals(_current, work))
        {
            work.Cancelling++;
            var marker = new Marker();
            _items.AddFirst(marker);
            run = marker.Done;
        }

        _lock.Exit();
        return taken;
    }

    internal void EndCancel(KthreadWork work)
    {
        _lock.Enter();
        work.Cancelling--;
        _lock.Exit();
    }

    /// <summary>What completes behind the last run queued; null when there is nothing to wait for.</summary>
    internal Completion? FlushBehind(KthreadWork work)
    {
        var marker = new Marker();
        _lock.Enter();
        bool expedited = work.IsDelayed && !_hasEnded;
        if (expedited)
        {
            TakeBack(work);
            Add(work);
        }

        bool wait = true;
        if (work.IsPending && !work.IsDelayed)
            work.Next!.InsertBefore(marker);
        else if (ReferenceEquals(_current, work))
            _items.AddFirst(marker);
        else
            wait = false;
        _lock.Exit();
        if (expedited)
            _hasWork.WakeUp();
        return wait ? marker.Done : null;
    }

    private int Run()
    {
        while (true)
        {
            _hasWork.WaitEvent(this, static self => self.HasWork || Kthread.ShouldStop, Timeout.InfiniteTimeSpan);
            if (TakeNext() is not { } item)
            {
                if (_hasEnded)
                    return 0;
                continue; // somebody took it back after we had been woken for it
            }

            try
            {
                item.Execute();
            }
            catch (Exception e)
            {
                Report(item, e);
            }

            _lock.Enter();
            _current = null;
            _lock.Exit();
        }
    }

    private bool HasWork
    {
        get
        {
            _lock.Enter();
            bool any = !_items.IsEmpty;
            _lock.Exit();
            return any;
        }
    }

    private DeferredItem? TakeNext()
    {
        _lock.Enter();
        DeferredItem? item = _items.TakeFirst();
        if (item is KthreadWork work)
            work.IsPending = false;
        _current = item;
        _hasEnded = item is null && Kthread.ShouldStop;
        _lock.Exit();
        return item;
    }

    private void Enter(KthreadWork work)
    {
        _lock.Enter();
        Exception? refusal =
            !work.BelongTo(this) ? new InvalidOperationException($"{work.FunctionName} belongs to worker {work.Owner!.Name}, not {Name}.")
            : _isDisposed ? new ObjectDisposedException(Name)
            : null;
        if (refusal is null)
            return;
        _lock.Exit();
        throw refusal;
    }

    private void Add(KthreadWork work)
    {
        work.IsPending = true;
        _items.AddLast(work);
    }

    /// <summary>True when the timers are to be programmed after the lock.</summary>
    private bool Start(KthreadDelayedWork work, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(work);
            return false;
        }

        work.IsPending = true;
        work.IsDelayed = true;
        return _system.Timers.Insert(work, delay);
    }

    /// <summary>Takes a pending item out of the wheel or the list; true when it was pending.</summary>
    private bool TakeBack(KthreadWork work)
    {
        if (!work.IsPending)
            return false;
        work.IsPending = false;
        if (!work.IsDelayed)
        {
            work.Unlink();
            return true;
        }

        work.IsDelayed = false;
        // A timer that has begun to fire waits for the lock that we hold. It fires before any that is armed from here on: timers fire one by one.
        if (!_system.Timers.Cancel(work))
            work.StaleFirings++;
        return true;
    }

    /// <summary>What completes behind all that is queued; null when the thread has ended.</summary>
    private Completion? AddMarker()
    {
        var marker = new Marker();
        _lock.Enter();
        bool added = !_hasEnded;
        if (added)
            _items.AddLast(marker);
        _lock.Exit();
        if (!added)
            return null;
        _hasWork.WakeUp();
        return marker.Done;
    }

    /// <summary>
    /// Refuses items from here on; what completes behind those that are queued is to be waited for before the stop: a kthread that is stopped before it
    /// began never does.
    /// </summary>
    private Completion? Close()
    {
        _lock.Enter();
        _isDisposed = true;
        _lock.Exit();
        return AddMarker();
    }

    private void Report(DeferredItem item, Exception exception)
    {
        try
        {
            if (UnhandledException is { } handler)
            {
                handler(this, new UnhandledExceptionEventArgs(exception, isTerminating: false));
                return;
            }
        }
        catch (Exception e)
        {
            _system.Log($"kthread worker {Name}: the handler of UnhandledException failed: {e}");
        }

        _system.Log($"kthread worker {Name}: {(item as KthreadWork)?.FunctionName}: {exception}");
    }

    /// <summary>Stands where a flush waits.</summary>
    private sealed class Marker : DeferredItem
    {
        internal Completion Done { get; } = new();

        internal override void Execute() => Done.Complete();
    }
}
