using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A kthread that runs work items one at a time, in order (<c>struct kthread_worker</c>): for work that must be done by one certain thread.
/// All members are safe to call from any thread.
/// </summary>
[DebuggerDisplay("{Name,nq}")]
public sealed partial class KthreadWorker : IDisposable, IAsyncDisposable
{
    private readonly Kthread _thread;
    private readonly KworkerSystem _system;
    private readonly WaitQueue _hasWork = new();

    // All of these: lock, _lock.
    private Spinlock _lock;
    private readonly ItemList _items = new();
    private DeferredItem? _current; // what runs
    private long _runs; // begun; the one in progress has this number
    private bool _isDisposed;
    private bool _hasEnded; // the thread looks at the list no more; set by it

    /// <summary>Makes the thread and starts it (<c>kthread_create_worker</c>).</summary>
    /// <exception cref="OutOfMemoryException">The system has no thread to give.</exception>
    public KthreadWorker(string name, KworkerSystem? system = null)
    {
        _system = system ?? KworkerSystem.Current;
        _thread = new Kthread(Run, name, _system) { Worker = this, Idles = _hasWork };
        _thread.Start();
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
        string? origin = Origin();
        Enter(work);
        bool queued = !work.IsPending && work.Cancelling == 0;
        if (queued)
            Add(work, origin);
        _lock.Exit();
        if (queued)
        {
            Tell(work);
            _hasWork.WakeUp();
        }

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
        string? origin = Origin();
        Enter(work);
        bool queued = !work.IsPending && work.Cancelling == 0;
        bool program = queued && Start(work, delay, origin);
        _lock.Exit();
        if (queued)
            Tell(work, delay);
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
        string? origin = Origin();
        Enter(work);
        if (work.Cancelling > 0)
        {
            _lock.Exit();
            return true;
        }

        bool wasPending = TakeBack(work);
        bool program = Start(work, delay, origin);
        _lock.Exit();
        Tell(work, delay);
        if (program)
            _system.Timers.Program();
        else
            _hasWork.WakeUp();
        return wasPending;
    }

    /// <summary>Waits until all that is queued is done (<c>kthread_flush_worker</c>); items whose time runs are not waited for.</summary>
    /// <exception cref="DeadlockException">The caller is an item of it, or one of its items waits for the caller: it would never end.</exception>
    public void Flush() => Wait(AddMarker());

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => WaitAsync(AddMarker());

    /// <summary>Lets it finish what is queued, then stops the thread (<c>kthread_destroy_worker</c>). Cancel delayed items first.</summary>
    /// <exception cref="DeadlockException">The caller is an item of it, or one of its items waits for the caller: it would never end. It goes on.</exception>
    public void Dispose()
    {
        // Asked before it is closed: who is refused leaves it as it was.
        WaitGraph.Wait? wait = WaitGraph.Begin(new KthreadExitTarget(_thread));
        try
        {
            Wait(Close());
            _thread.Stop();
        }
        finally
        {
            WaitGraph.End(wait);
        }
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        WaitGraph.Wait? wait = WaitGraph.BeginAsync(new KthreadExitTarget(_thread));
        try
        {
            await WaitAsync(Close());
            await _thread.StopAsync();
        }
        finally
        {
            WaitGraph.End(wait);
        }
    }

    /// <summary>Its thread.</summary>
    internal Kthread Thread => _thread;

    /// <summary>The function that runs, for reports: a look.</summary>
    internal string CurrentFunction => (Current as KthreadWork)?.FunctionName ?? $"kthread {Name}";

    /// <summary>Where the item that runs was queued, if that is recorded.</summary>
    internal string? CurrentOrigin => Current is KthreadWork work ? Origins.Of(work) : null;

    private DeferredItem? Current
    {
        get
        {
            _lock.Enter();
            DeferredItem? current = _current;
            _lock.Exit();
            return current;
        }
    }

    /// <summary>Whether a marker of ours stands in line yet: all before it have not finished.</summary>
    internal bool IsInLine(DeferredItem place)
    {
        _lock.Enter();
        bool isIn = place.IsLinked;
        _lock.Exit();
        return isIn;
    }

    internal bool IsRunning(long run)
    {
        _lock.Enter();
        bool isRunning = _current is not null && _runs == run;
        _lock.Exit();
        return isRunning;
    }

    /// <summary>The run in progress of an item, to be cancelled; null when it does not run, or nobody could wait for the caller.</summary>
    internal WaitTarget? TargetOfRun(KthreadWork work)
    {
        if (!WaitGraph.CallerCounts)
            return null;
        _lock.Enter();
        bool runs = ReferenceEquals(_current, work);
        long run = _runs;
        _lock.Exit();
        return runs ? new KthreadRunTarget(this, run, $"CancelSync of {work.FunctionName} (kthread worker {Name})") : null;
    }

    /// <summary>Waits until the last run of an item that is queued is over.</summary>
    internal void Wait(KthreadWork work) => Wait(FlushBehind(work), work);

    /// <inheritdoc cref="Wait(KthreadWork)"/>
    internal ValueTask WaitAsync(KthreadWork work) => WaitAsync(FlushBehind(work), work);

    private void Wait(Marker? marker, KthreadWork? work = null)
    {
        if (marker is null)
            return;
        // A marker whose wait is refused stays in line: it lets nobody wait, and goes as its turn comes.
        WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.Begin(TargetOf(marker, work)) : null;
        marker.Done.Wait();
        WaitGraph.End(wait);
    }

    private ValueTask WaitAsync(Marker? marker, KthreadWork? work = null)
    {
        if (marker is null)
            return default;
        try
        {
            WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.BeginAsync(TargetOf(marker, work)) : null;
            return wait is null ? marker.Done.WaitAsync() : WaitToEnd(marker, wait);
        }
        catch (DeadlockException e)
        {
            return ValueTask.FromException(e);
        }

        static async ValueTask WaitToEnd(Marker marker, WaitGraph.Wait wait)
        {
            await marker.Done.WaitAsync();
            WaitGraph.End(wait);
        }
    }

    private KthreadLineTarget TargetOf(Marker marker, KthreadWork? work) =>
        new(this, marker, work is null ? $"Flush of kthread worker {Name}" : $"Flush of {work.FunctionName} (kthread worker {Name})");

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
    private Marker? FlushBehind(KthreadWork work)
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
        return wait ? marker : null;
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

            if (Listeners.Kthread && item is KthreadWork begun)
                TracePoints.KthreadWorkBegun(begun);
            try
            {
                item.Execute();
            }
            catch (Exception e)
            {
                Report(item, e);
            }

            if (Listeners.Kthread && item is KthreadWork ended)
                TracePoints.KthreadWorkEnded(ended);

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
        _runs++;
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

    /// <summary>Without the lock, as listeners may be anybody's code: so it may be told after the item has begun.</summary>
    private void Tell(KthreadWork work, TimeSpan delay = default)
    {
        if (Listeners.Timer && delay > TimeSpan.Zero)
            TracePoints.TimerStarted(work, _system.Timers.Now, delay);
        if (Listeners.Kthread)
            TracePoints.KthreadWorkQueued(work, this);
    }

    /// <summary>Before the lock, as it takes its time: the stack that queues, if that is recorded.</summary>
    private static string? Origin() => Listeners.Stacks ? StackText.Capture() : null;

    private void Add(KthreadWork work, string? origin = null)
    {
        if (origin is not null)
            Origins.Note(work, origin); // before the item can begin, and report a deadlock
        work.IsPending = true;
        _items.AddLast(work);
    }

    /// <summary>True when the timers are to be programmed after the lock.</summary>
    private bool Start(KthreadDelayedWork work, TimeSpan delay, string? origin)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(work, origin);
            return false;
        }

        if (origin is not null)
            Origins.Note(work, origin);
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
    private Marker? AddMarker()
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
        return marker;
    }

    /// <summary>
    /// Refuses items from here on; what completes behind those that are queued is to be waited for before the stop: a kthread that is stopped before it
    /// began never does.
    /// </summary>
    private Marker? Close()
    {
        _lock.Enter();
        _isDisposed = true;
        _lock.Exit();
        return AddMarker();
    }

    private void Report(DeferredItem item, Exception exception)
    {
        _system.Counters.AddWorkException();
        TracePoints.KthreadWorkFailed(this, item as KthreadWork, exception);
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
