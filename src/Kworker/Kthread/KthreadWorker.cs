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
        if (queued)
            Start(work, delay);
        _lock.Exit();
        if (queued)
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
        bool wasPending = StopTimer(work);
        if (work.Cancelling > 0)
        {
            _lock.Exit();
            return true;
        }

        wasPending |= Take(work);
        Start(work, delay);
        _lock.Exit();
        _hasWork.WakeUp();
        return wasPending;
    }

    /// <summary>Waits until all that is queued is done (<c>kthread_flush_worker</c>); items whose time runs are not waited for.</summary>
    public void Flush() => AddMarker().Wait();

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => AddMarker().WaitAsync();

    /// <summary>Lets it finish what is queued, then stops the thread (<c>kthread_destroy_worker</c>). Cancel delayed items first.</summary>
    public void Dispose()
    {
        Close();
        _thread.Stop();
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        Close();
        await _thread.StopAsync();
    }

    /// <summary>On the thread that drives the wheel: the item's time has come.</summary>
    internal void Expired(KthreadDelayedWork work)
    {
        _lock.Enter();
        if (!work.IsPending || work.IsLinked)
        {
            _lock.Exit(); // somebody took it back, or queued it, after the timer had begun to fire
            return;
        }

        if (work.Cancelling == 0)
            _items.AddLast(work);
        else
            work.IsPending = false;
        _lock.Exit();
        _hasWork.WakeUp();
    }

    /// <summary>Takes the item back; when it runs, refuses it from now on and gives what completes behind the run.</summary>
    internal bool BeginCancel(KthreadWork work, out Completion? run)
    {
        run = null;
        _lock.Enter();
        bool taken = StopTimer(work);
        taken |= Take(work);
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
        bool expedited = StopTimer(work);
        if (expedited)
            Add(work);
        bool wait = true;
        if (work.IsPending && work.IsLinked)
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
                return 0;
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
        _lock.Exit();
        return item;
    }

    private void Enter(KthreadWork work)
    {
        _lock.Enter();
        work.Owner ??= this;
        Exception? refusal =
            !ReferenceEquals(work.Owner, this) ? new InvalidOperationException($"{work.FunctionName} belongs to worker {work.Owner.Name}, not {Name}.")
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

    private void Start(KthreadDelayedWork work, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(work);
            return;
        }

        work.IsPending = true;
        _system.Timers.Arm(work, delay);
    }

    /// <summary>
    /// Stops the timer of a delayed item; true when it ran. The lock is let go meanwhile, because a timer that has begun to fire needs it, and the item is
    /// marked as being cancelled, so that nobody queues it in between.
    /// </summary>
    private bool StopTimer(KthreadWork work)
    {
        if (work is not KthreadDelayedWork)
            return false;
        work.Cancelling++;
        _lock.Exit();
        bool stopped = _system.Timers.CancelSync(work);
        _lock.Enter();
        work.Cancelling--;
        if (stopped)
            work.IsPending = false;
        return stopped;
    }

    /// <summary>Takes the item out of the list; true when it stood there.</summary>
    private static bool Take(KthreadWork work)
    {
        if (!work.IsPending)
            return false;
        if (work.IsLinked)
            work.Unlink();
        work.IsPending = false;
        return true;
    }

    private Completion AddMarker()
    {
        var marker = new Marker();
        _lock.Enter();
        _items.AddLast(marker);
        _lock.Exit();
        _hasWork.WakeUp();
        return marker.Done;
    }

    private void Close()
    {
        _lock.Enter();
        _isDisposed = true;
        _lock.Exit();
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
