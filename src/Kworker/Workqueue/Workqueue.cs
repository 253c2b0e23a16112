using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A queue of work items (<c>struct workqueue_struct</c>): a name, a bound on how many are at work at once, and a place to wait until all are done.
/// It has no threads: the workers of its <see cref="KworkerSystem"/> run its items, as many at once as makes sense.
/// All members are safe to call from any thread.
/// </summary>
/// <remarks>
/// The way of an item: <see cref="Queue(Work)"/> → active (in the pool's list) or, when <see cref="WorkqueueOptions.MaxActive"/> items are,
/// inactive (in the queue's) → a worker takes it, runs it, and makes the next inactive one active. All lists and counts are guarded by the system's run lock.
/// </remarks>
[DebuggerDisplay("{DebuggerDisplay,nq}")]
public sealed class Workqueue : IDisposable, IAsyncDisposable
{
    private readonly WorkerPool _pool;
    private readonly int _maxActive;

    // All of these: lock, the system's run lock.
    private readonly ItemList _inactive = new();
    private int _active; // items in the pool's list or running, without barriers
    private FlushEpoch _epoch = new(); // what is queued now belongs to it
    private FlushEpoch _oldestEpoch; // the first that is not finished
    private int _drainers;
    private bool _isDisposed;

    /// <summary>Makes a queue (<c>alloc_workqueue</c>).</summary>
    /// <param name="name">Named in messages and dumps.</param>
    /// <param name="options">How it runs its items.</param>
    /// <param name="system">Whose workers run them; the current one unless given.</param>
    /// <exception cref="ArgumentException">Options that exclude each other.</exception>
    public Workqueue(string name, WorkqueueOptions? options = null, KworkerSystem? system = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new WorkqueueOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxActive, 1, nameof(options));
        if (options.HighPriority && (options.Unbound || options.Ordered))
            throw new ArgumentException($"Workqueue {name}: HighPriority excludes Unbound and Ordered.", nameof(options));
        Name = name;
        OwningSystem = system ?? KworkerSystem.Current;
        _maxActive = options.Ordered ? 1 : options.MaxActive;
        _pool = options.HighPriority ? OwningSystem.HighPriority
            : options.Unbound || options.Ordered ? OwningSystem.Unbound
            : OwningSystem.Normal;
        _oldestEpoch = _epoch;
        OwningSystem.Register(this);
    }

    /// <summary>
    /// An exception left a work function, or a delayed item came due on a queue that takes it no more. Raised on the worker (or the timer's thread); the
    /// process goes on. With no handler, and when a handler throws, the <see cref="KworkerSystemOptions.Log"/> has it.
    /// </summary>
    public event EventHandler<WorkExceptionEventArgs>? UnhandledException;

    /// <summary>For items that run short and block little (<c>system_wq</c>).</summary>
    public static Workqueue System => KworkerSystem.Current.SystemQueue(SystemQueueKind.Normal);

    /// <summary>On workers of higher priority (<c>system_highpri_wq</c>).</summary>
    public static Workqueue SystemHighPriority => KworkerSystem.Current.SystemQueue(SystemQueueKind.HighPriority);

    /// <summary>For items that run long, so that a flush of <see cref="System"/> need not wait for them (<c>system_long_wq</c>).</summary>
    public static Workqueue SystemLong => KworkerSystem.Current.SystemQueue(SystemQueueKind.Long);

    /// <summary>Each item starts at once (<c>system_unbound_wq</c>).</summary>
    public static Workqueue SystemUnbound => KworkerSystem.Current.SystemQueue(SystemQueueKind.Unbound);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Whose workers run its items.</summary>
    internal KworkerSystem OwningSystem { get; }

    /// <summary>The workers that run its items.</summary>
    internal WorkerPool Pool => _pool;

    /// <summary>It takes no items any more. For a look without the lock: it may be old.</summary>
    internal bool IsDisposed => _isDisposed;

    /// <summary>A queue that runs one item at a time, in the order of queueing (<c>alloc_ordered_workqueue</c>).</summary>
    public static Workqueue Ordered(string name, KworkerSystem? system = null) =>
        new(name, new WorkqueueOptions { Ordered = true }, system);

    /// <summary>Queues an item (<c>queue_work</c>); false when it is pending already or being cancelled.</summary>
    /// <exception cref="InvalidOperationException">
    /// The queue is being drained, and the caller is no item of it; or the item belongs to another system. It is not queued.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The queue has been disposed of. The item is not queued.</exception>
    public bool Queue(Work work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!work.TryTakePending())
            return false;
        work.BindTo(OwningSystem);
        Enqueue(work);
        return true;
    }

    /// <summary>Queues an item after a delay (<c>queue_delayed_work</c>); false when it is pending already or being cancelled.</summary>
    /// <param name="work">The item.</param>
    /// <param name="delay">On the clock of the queue's system; never early. Zero or less queues it at once.</param>
    /// <exception cref="InvalidOperationException">As <see cref="Queue(Work)"/>.</exception>
    /// <exception cref="ObjectDisposedException">As <see cref="Queue(Work)"/>.</exception>
    public bool Queue(DelayedWork work, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!work.TryTakePending())
            return false;
        work.Start(this, delay);
        return true;
    }

    /// <summary>
    /// Queues an item after a delay, whether it is pending or not: what was pending is taken back first (<c>mod_delayed_work</c>). While it is being
    /// cancelled nothing happens, and that, too, counts as pending.
    /// </summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="InvalidOperationException">As <see cref="Queue(Work)"/>.</exception>
    /// <exception cref="ObjectDisposedException">As <see cref="Queue(Work)"/>.</exception>
    public bool Modify(DelayedWork work, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(work);
        Work.Grab grab = work.TryGrab();
        if (grab != Work.Grab.Cancelling)
            work.Start(this, delay);
        return grab != Work.Grab.WasIdle;
    }

    /// <summary>
    /// Waits until all that is queued is done (<c>flush_workqueue</c>); what is queued later, and items whose time runs, are not waited for.
    /// </summary>
    public void Flush() => CloseEpoch()?.Done.Wait();

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => CloseEpoch() is { } epoch ? epoch.Done.WaitAsync() : default;

    /// <summary>
    /// Waits until nothing is queued and nothing runs (<c>drain_workqueue</c>). Meanwhile only items of the queue itself may queue items on it; others
    /// are refused by an exception. Items whose time runs are not waited for.
    /// </summary>
    public void Drain()
    {
        BeginDrain();
        FlushUntilIdle();
        EndDrain(close: false);
    }

    /// <inheritdoc cref="Drain"/>
    public async ValueTask DrainAsync()
    {
        BeginDrain();
        await FlushUntilIdleAsync();
        EndDrain(close: false);
    }

    /// <summary>Drains it, and refuses all items from then on (<c>destroy_workqueue</c>). Cancel delayed items first.</summary>
    public void Dispose()
    {
        BeginDrain();
        FlushUntilIdle();
        EndDrain(close: true);
    }

    /// <inheritdoc cref="Dispose"/>
    public async ValueTask DisposeAsync()
    {
        BeginDrain();
        await FlushUntilIdleAsync();
        EndDrain(close: true);
    }

    /// <summary>By the owner of Pending: puts the item in line, or releases it and throws.</summary>
    internal void Enqueue(Work work)
    {
        if (TryEnqueue(work))
            return;
        Exception refusal = RefusalOf(work);
        throw refusal;
    }

    /// <summary>By the owner of Pending: puts the item in line; false when the queue takes no items, and then Pending is released.</summary>
    internal bool TryEnqueue(Work work)
    {
        bool isChained = ReferenceEquals(PoolWorker.Current?.CurrentRun?.Queue, this);
        ref Spinlock runLock = ref OwningSystem.RunLock;
        runLock.Enter();
        if (_isDisposed || (_drainers != 0 && !isChained))
        {
            runLock.Exit();
            work.ReleasePending();
            return false;
        }

        work.EnterQueue(this, _epoch);
        _epoch.InFlight++;
        work.IsInactive = _active >= _maxActive;
        if (work.IsInactive)
        {
            _inactive.AddLast(work);
        }
        else
        {
            _active++;
            _pool.AddActive(work);
        }

        WakePlan plan = _pool.PlanWake();
        runLock.Exit();
        plan.Carry();
        return true;
    }

    internal Exception RefusalOf(Work work) => _isDisposed
        ? new ObjectDisposedException(Name, $"Workqueue {Name} has been disposed of; {work.FunctionName} was not queued.")
        : new InvalidOperationException($"Workqueue {Name} is being drained: only its own items may queue; {work.FunctionName} was not queued.");

    /// <summary>Run lock: whether the queue's pool needs a worker more, and which.</summary>
    internal WakePlan PlanWake() => _pool.PlanWake();

    /// <summary>Run lock: takes a queued item out. A barrier tied to it stays, and runs when its turn comes.</summary>
    internal void Remove(Work work, ref FinishedEpochs done)
    {
        OwningSystem.RunLock.AssertHeld();
        // An inactive one is made active first: barriers behind it must not stay among the inactive items, where they would count as such.
        if (work.IsInactive)
            Activate(work);
        work.Unlink();
        work.IsTied = false;
        Finish(work.Epoch!, counted: true, ref done);
    }

    /// <summary>Run lock: an item (counted as active) or a barrier (not) is done with.</summary>
    internal void Finish(FlushEpoch epoch, bool counted, ref FinishedEpochs done)
    {
        if (counted)
        {
            _active--;
            if (_active < _maxActive && _inactive.First is Work next)
                Activate(next);
        }

        epoch.InFlight--;
        while (_oldestEpoch is { IsClosed: true, InFlight: 0 } oldest)
        {
            _oldestEpoch = oldest.Next!;
            done.Add(oldest);
        }
    }

    /// <summary>Hands an exception to <see cref="UnhandledException"/>, or to the log.</summary>
    internal void Report(Work work, Exception exception)
    {
        try
        {
            if (UnhandledException is { } handler)
            {
                handler(this, new WorkExceptionEventArgs(this, work, exception));
                return;
            }
        }
        catch (Exception e)
        {
            OwningSystem.Log($"workqueue {Name}: the handler of UnhandledException failed: {e}");
        }

        OwningSystem.Log($"workqueue {Name}: {work.FunctionName}: {exception}");
    }

    private void Activate(Work work)
    {
        work.IsInactive = false;
        _active++;
        _pool.AddActiveTied(work);
    }

    /// <summary>Closes the present epoch and returns it to be waited for; null when nothing is queued or running.</summary>
    private FlushEpoch? CloseEpoch()
    {
        var next = new FlushEpoch();
        ref Spinlock runLock = ref OwningSystem.RunLock;
        runLock.Enter();
        FlushEpoch? closed = null;
        if (!ReferenceEquals(_oldestEpoch, _epoch) || _epoch.InFlight != 0)
        {
            closed = _epoch;
            closed.IsClosed = true;
            closed.Next = next;
            _epoch = next;
        }

        runLock.Exit();
        return closed;
    }

    private bool IsIdle
    {
        get
        {
            ref Spinlock runLock = ref OwningSystem.RunLock;
            runLock.Enter();
            bool idle = ReferenceEquals(_oldestEpoch, _epoch) && _epoch.InFlight == 0;
            runLock.Exit();
            return idle;
        }
    }

    private void BeginDrain()
    {
        OwningSystem.RunLock.Enter();
        _drainers++;
        OwningSystem.RunLock.Exit();
    }

    private void FlushUntilIdle()
    {
        while (!IsIdle)
            Flush();
    }

    private async ValueTask FlushUntilIdleAsync()
    {
        while (!IsIdle)
            await FlushAsync();
    }

    /// <summary>To close it is one step with the end of the drain: between the two, somebody could queue what would then run after Dispose.</summary>
    private void EndDrain(bool close)
    {
        OwningSystem.RunLock.Enter();
        _drainers--;
        _isDisposed |= close;
        OwningSystem.RunLock.Exit();
        if (close)
            OwningSystem.Unregister(this);
    }

    private string DebuggerDisplay => $"{Name}: {_active} active of {_maxActive}, {(_inactive.IsEmpty ? "none" : "some")} waiting";
}
