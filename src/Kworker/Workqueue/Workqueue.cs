using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>
/// A queue of work items (<c>struct workqueue_struct</c>): a name, a bound on how many are at work at once, and a place to wait until all are done.
/// It has no threads: the workers of its <see cref="KworkerSystem"/> run its items, as many at once as makes sense.
/// All members are safe to call from any thread.
/// </summary>
/// <remarks>
/// The way of an item: <see cref="Queue(Work)"/> → the pool's inbox → active (in the pool's list) or, when <see cref="WorkqueueOptions.MaxActive"/> items are,
/// inactive (in the queue's) → a worker takes it, runs it, and makes the next inactive one active. All lists and counts are guarded by the system's run lock.
/// Only the push into the inbox is not: it looks at <see cref="Signs.Gate"/> before and after.
/// </remarks>
[DebuggerDisplay("{DebuggerDisplay,nq}")]
public sealed partial class Workqueue : IDisposable, IAsyncDisposable
{
    private readonly WorkerPool _pool;
    private readonly int _maxActive;

    // All of these: lock, the system's run lock.
    private readonly ItemList _inactive = new();
    private int _active; // items in the pool's list, in a stage or running, without barriers
    private FlushEpoch _epoch = new(); // what is queued now belongs to it
    private FlushEpoch _oldestEpoch; // the first that is not finished
    private long _queued; // items put in line so far
    private int _drainers;
    private bool _isDisposed;
    private LinkedStack<WorkRun, WorkRun.InQueue> _asyncRuns; // those in progress
    private bool _isClosing; // what is found in the inbox has been pushed before the queue closed

    /// <summary>What is read without the lock.</summary>
    private Signs _signs;

    private QueueLatencies? _latencies; // null → made, once

    /// <summary>1: see <see cref="IsOverdue"/>.</summary>
    private int _isOverdue;

    /// <summary>Makes a queue (<c>alloc_workqueue</c>).</summary>
    /// <param name="name">Named in messages and dumps.</param>
    /// <param name="options">How it runs its items.</param>
    /// <param name="system">Whose workers run them; the current one unless given.</param>
    /// <exception cref="ArgumentException">Options that exclude each other.</exception>
    /// <exception cref="ObjectDisposedException">The system has ended: it would run nothing.</exception>
    public Workqueue(string name, WorkqueueOptions? options = null, KworkerSystem? system = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        options ??= new WorkqueueOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxActive, 1, nameof(options));
        if (options.HighPriority && (options.Unbound || options.Ordered))
            throw new ArgumentException($"Workqueue {name}: HighPriority excludes Unbound and Ordered.", nameof(options));
        Name = name;
        OwningSystem = system ?? KworkerSystem.Current;
        if (OwningSystem.HasEnded)
            throw new ObjectDisposedException(nameof(KworkerSystem), $"Workqueue {name} was not made: its system has ended.");
        _maxActive = options.Ordered ? 1 : options.MaxActive;
        _flags = FlagsOf(options);
        _pool = options.HighPriority ? OwningSystem.HighPriority
            : options.Unbound || options.Ordered ? OwningSystem.Unbound
            : OwningSystem.Normal;
        IsCpuIntensive = options.CpuIntensive;
        FlowsContext = options.FlowExecutionContext;
        IsPlain = !IsCpuIntensive && !FlowsContext;
        MayArmDirectly = !FlowsContext;
        RunsDelayedAtShutdown = options.RunDelayedAtShutdown;
        _oldestEpoch = _epoch;
        if (options.MemReclaim)
            Rescuer = new Rescuer(this);
        OwningSystem.Register(this);
    }

    /// <summary>
    /// An exception left a work function, or a delayed item came due on a queue that takes it no more. Raised on the worker (or the timer's thread); the
    /// process goes on. With no handler <see cref="KworkerSystem.UnhandledException"/> has it; with none there, and when a handler throws, the
    /// <see cref="KworkerSystemOptions.Log"/>.
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

    /// <summary>Its items do not count as running.</summary>
    internal bool IsCpuIntensive { get; }

    /// <summary>See <see cref="WorkqueueOptions.FlowExecutionContext"/>.</summary>
    internal bool FlowsContext { get; }

    /// <summary>There is nothing to be done around each of its items: a worker may take them ahead, and run one after the other.</summary>
    internal bool IsPlain { get; }

    /// <summary>
    /// There is nothing to be done about a delayed item but to arm it: the queue has not been disposed of, and no context flows. Written under the run lock; for a look without it,
    /// as <see cref="IsDisposed"/>.
    /// </summary>
    internal bool MayArmDirectly { get; private set; }

    /// <summary>See <see cref="WorkqueueOptions.RunDelayedAtShutdown"/>.</summary>
    internal bool RunsDelayedAtShutdown { get; }

    /// <summary>Runs its items when the pool can make no worker; null unless it was made for reclaim.</summary>
    internal Rescuer? Rescuer { get; }

    /// <summary>Whose workers run its items.</summary>
    internal KworkerSystem OwningSystem { get; }

    /// <summary>How long its items wait and run; null until that is measured for the first time.</summary>
    internal QueueLatencies? Latencies => Volatile.Read(ref _latencies);

    internal QueueLatencies LatenciesToFill => Latencies ?? Interlocked.CompareExchange(ref _latencies, new QueueLatencies(), null) ?? _latencies;

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
        PoolWorker? worker = PoolWorker.Current;
        bool chained = worker is not null && worker.MayChain(this, work);
        if (!work.TryTakePending(out bool runs))
            return false;
        work.BindTo(OwningSystem);
        // A chained item needs no look at the gate: a queue that drains takes what its own items queue, and while one of them runs it is not closed.
        if (chained && !runs)
            worker!.Chain(work, this);
        else
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
        return work.QueueOn(this, delay);
    }

    /// <summary>
    /// Queues an item after a delay, whether it is pending or not: what was pending is taken back first (<c>mod_delayed_work</c>). While it is being
    /// cancelled nothing happens, and that, too, counts as pending. A disabled one is not queued.
    /// </summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="InvalidOperationException">As <see cref="Queue(Work)"/>.</exception>
    /// <exception cref="ObjectDisposedException">As <see cref="Queue(Work)"/>.</exception>
    public bool Modify(DelayedWork work, TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(work);
        return work.ModifyOn(this, delay);
    }

    /// <summary>
    /// Waits until all that is queued is done (<c>flush_workqueue</c>); what is queued later, and items whose time runs, are not waited for.
    /// </summary>
    /// <exception cref="DeadlockException">The caller is an item of this queue, or an item of it waits for the caller: it would never end.</exception>
    public void Flush() => Wait(CloseEpoch(), "Flush");

    /// <inheritdoc cref="Flush"/>
    public ValueTask FlushAsync() => WaitAsync(CloseEpoch(), "Flush");

    /// <summary>Somebody waits for the end of each item: see <see cref="Signs.IsEager"/>.</summary>
    internal bool IsEager => Seam.Read(in _signs.IsEager) != 0;

    /// <summary>A push into the inbox would be refused: see <see cref="Signs.Gate"/>.</summary>
    private static bool IsOdd(int gate) => (gate & 1) != 0;

    /// <summary>By the owner of Pending, who has been asked to queue the item: puts it in line, or releases it and throws.</summary>
    internal void Enqueue(Work work)
    {
        if (FlowsContext)
            WorkContexts.Capture(work);
        if (TryEnqueue(work))
            return;
        Exception refusal = RefusalOf(work);
        throw refusal;
    }

    /// <summary>By the owner of Pending: puts the item in line; false when the queue takes no items, and then Pending is released.</summary>
    internal bool TryEnqueue(Work work, bool isDue = false)
    {
        if (Listeners.OfQueueing)
            TracePoints.Queued(work, this, isDue);
        int gate = Seam.Read(in _signs.Gate);
        if (!_pool.IsManaged || IsOdd(gate))
            return TryEnqueueLocked(work);
        if (!ReferenceEquals(work.Target, this))
            work.Target = this;
        int thread = Environment.CurrentManagedThreadId;
        if (work.PushedBy != thread)
            work.PushedBy = thread;
        _pool.Push(work);
        return Seam.Read(in _signs.Gate) == gate || WasAccepted(work);
    }

    private bool TryEnqueueLocked(Work work)
    {
        RunLock runLock = OwningSystem.RunLock;
        runLock.Enter();
        bool accepted = MayEnter;
        if (accepted)
        {
            Admit(work);
            _pool.NeedsPlan = true;
        }

        runLock.Exit();
        if (!accepted)
            work.ReleasePending();
        return accepted;
    }

    /// <summary>Run lock: whether it takes an item of the calling thread: while it is being drained, only of its own items.</summary>
    private bool MayEnter => !_isDisposed && (_drainers == 0 || ReferenceEquals(PoolWorker.Current?.CurrentQueue, this));

    /// <summary>
    /// The queue closed about when the item was pushed. If it has been refused it is still its pusher's, and marked so. If it was accepted it may be anybody's by
    /// now, and may even have been refused again: to another thread.
    /// </summary>
    private bool WasAccepted(Work work)
    {
        RunLock runLock = OwningSystem.RunLock;
        runLock.Enter();
        bool refused = work.IsRefused && work.PushedBy == Environment.CurrentManagedThreadId;
        if (refused)
        {
            work.IsRefused = false;
            refused = !MayEnter;
            if (!refused)
                Admit(work);
        }

        _pool.NeedsPlan = true; // its push may have been what a worker is to be woken for
        runLock.Exit();
        if (refused)
            work.ReleasePending();
        return !refused;
    }

    /// <summary>Run lock: an item that was pushed into the inbox comes in.</summary>
    internal void Receive(Work work)
    {
        if (IsOdd(_signs.Gate) && !_isClosing)
            work.IsRefused = true;
        else
            Admit(work);
    }

    /// <summary>
    /// As <see cref="Receive(Work)"/>, straight into a worker's stage; false, and nothing has happened, when the item must take the longer way.
    /// </summary>
    internal bool TryReceive(Work work, Stage stage)
    {
        if (IsOdd(_signs.Gate) || !HasPlace || !IsPlain || !work.MayBeReceivedStaged || Listeners.Workqueue)
            return false;
        work.EnterEpoch(this, CountIn());
        if (work.IsInactive)
            work.IsInactive = false;
        stage.Add(work);
        return true;
    }

    /// <summary>Run lock: an item more may be at work.</summary>
    internal bool HasPlace => _active < _maxActive;

    /// <summary>Run lock: counts an item that has come without the lock; it belongs to what is returned.</summary>
    internal FlushEpoch CountIn()
    {
        _epoch.InFlight++;
        _queued++;
        _active++;
        return _epoch;
    }

    /// <summary>Run lock: counts an item that has come and gone without the lock.</summary>
    internal void CountPassed() => _queued++;

    /// <summary>Run lock: puts an item in line.</summary>
    internal void Admit(Work work)
    {
        work.EnterQueue(this, _epoch);
        _epoch.InFlight++;
        _queued++;
        if (_active >= _maxActive)
            _pool.SettleStages(); // some may be over and not accounted for yet
        work.IsInactive = _active >= _maxActive;
        if (!work.IsInactive)
        {
            _active++;
            _pool.AddLast(work);
            if (Listeners.Workqueue)
                OwningSystem.RunLock.NoteActivated(work);
            return;
        }

        _inactive.AddLast(work);
        BecomeEager();
    }

    /// <summary>
    /// Run lock: puts an item in line that comes out of a stage because there is no place. It stands there before anything else is settled: that brings those that were
    /// chained behind it, which are not to overtake it, and perhaps a place, which is to be its own.
    /// </summary>
    internal void AdmitInactive(Work work)
    {
        work.EnterQueue(this, _epoch);
        _epoch.InFlight++;
        _queued++;
        work.IsInactive = true;
        _inactive.AddLast(work);
        BecomeEager();
    }

    /// <summary>Run lock: somebody waits. See <see cref="Signs.IsEager"/>.</summary>
    private void BecomeEager()
    {
        if (_signs.IsEager != 0)
            return;
        Seam.Write(ref _signs.IsEager, 1);
        Seam.Fence();
        _pool.SettleStages();
    }

    internal Exception RefusalOf(Work work) => _isDisposed
        ? new ObjectDisposedException(Name, $"Workqueue {Name} has been disposed of; {work.FunctionName} was not queued.")
        : new InvalidOperationException($"Workqueue {Name} is being drained: only its own items may queue; {work.FunctionName} was not queued.");

    /// <summary>Run lock: takes a queued item out. A barrier tied to it stays, and runs when its turn comes.</summary>
    internal void Remove(Work work)
    {
        OwningSystem.RunLock.AssertHeld();
        // An inactive one is made active first: barriers behind it must not stay among the inactive items, where they would count as such.
        if (work.IsInactive)
            Activate(work);
        work.Unlink();
        work.IsTied = false;
        Finish(work.Epoch!, counted: true);
    }

    /// <summary>Run lock: an item (counted as active) or a barrier (not) is done with.</summary>
    internal void Finish(FlushEpoch epoch, bool counted)
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
            OwningSystem.RunLock.Note(oldest);
        }

        if (_signs.IsEager != 0 && _inactive.IsEmpty && ReferenceEquals(_oldestEpoch, _epoch))
            Seam.Write(ref _signs.IsEager, 0);
    }

    /// <summary>Hands an exception to <see cref="UnhandledException"/>, or to the log.</summary>
    internal void Report(Work work, Exception exception)
    {
        OwningSystem.Counters.AddWorkException();
        TracePoints.Failed(this, work, exception);
        try
        {
            if ((UnhandledException ?? OwningSystem.ExceptionHandler) is { } handler)
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
        if (Listeners.Workqueue)
            OwningSystem.RunLock.NoteActivated(work);
    }

    /// <summary>Closes the present epoch and returns it to be waited for; null when nothing is queued or running.</summary>
    private FlushEpoch? CloseEpoch()
    {
        var next = new FlushEpoch();
        RunLock runLock = OwningSystem.RunLock;
        runLock.Enter();
        _pool.SettleStages();
        FlushEpoch? closed = null;
        if (!IsIdleLocked)
        {
            closed = _epoch;
            closed.IsClosed = true;
            closed.Next = next;
            _epoch = next;
            BecomeEager();
        }

        runLock.Exit();
        return closed;
    }

    private bool IsIdleLocked => ReferenceEquals(_oldestEpoch, _epoch) && _epoch.InFlight == 0;

    private bool IsIdle
    {
        get
        {
            RunLock runLock = OwningSystem.RunLock;
            runLock.Enter();
            _pool.SettleStages();
            bool idle = IsIdleLocked;
            runLock.Exit();
            return idle;
        }
    }

    /// <summary>On a cache line of their own: producers read them at each item, while workers write the counts beside them.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Signs
    {
        /// <summary>
        /// Counts how often it has been closed and opened. Odd: it is being drained or disposed of, and pushes into the inbox are refused. Written under the run lock,
        /// read without it. A push reads it again afterwards; who closes the queue brings in the inbox afterwards: so either the push is accepted, or it finds another
        /// number, though the queue be open again, and asks.
        /// </summary>
        [FieldOffset(64)]
        internal int Gate;

        /// <summary>
        /// 1: somebody waits for items of this queue to end (a flush, or an inactive item), so each is accounted for at once and not with the rest of its worker's stage.
        /// Written under the run lock, read by workers between two items: who writes 1 settles all stages afterwards, a worker publishes the end of an item before
        /// it reads; so one of the two sees it.
        /// </summary>
        [FieldOffset(68)]
        internal int IsEager;
    }

    private string DebuggerDisplay => $"{Name}: {_active} active of {_maxActive}, {(_inactive.IsEmpty ? "none" : "some")} waiting";
}
