using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A function to be run later by a workqueue (<c>struct work_struct</c>): made once, queued as often as needed.
/// <para>
/// It is queued once: while it is pending, queueing it again does nothing. It may be queued while it runs, even by itself: then it runs again
/// afterwards. It never runs concurrently with itself, on whichever queues it is put. After <see cref="CancelSync"/> it is neither pending nor running.
/// All members are safe to call from any thread.
/// </para>
/// </summary>
/// <remarks>
/// The state is one word, changed by interlocked operations:
/// <code>
///            Queue                 a worker begins            the function returns
///   idle ───────────► Pending ───────────────────► Running ───────────────────► idle
///                        ▲                            │ Queue
///                        │                            ▼
///                        └────────────────── Running|Pending      (runs again afterwards)
/// </code>
/// Pending is a lock: who sets it (by compare-and-swap, from not pending) decides where the item goes, into the wheel or into a queue, and
/// nobody else touches it until a worker clears Pending as it begins the function. Cancelling takes over Pending: it finds the item in the wheel,
/// in a list or in a worker's stage and removes it, keeping the bit; Canceling stands beside it while a cancel-sync waits for the function to return, and so nobody
/// can queue the item meanwhile, its own function included. A disabled item is not queued either: the count stands in the same word, and is changed by
/// who owns Pending.
/// </remarks>
[DebuggerDisplay("{DebuggerDisplay,nq}")]
public abstract partial class Work : DeferredItem
{
    private const long Pending = ItemState.Pending;
    private const long Running = ItemState.Running;
    private const long Canceling = ItemState.Canceling;

    /// <summary>Who wants to cancel an item that is being cancelled waits here for its turn. Shared by all: it is seldom used.</summary>
    private static readonly WaitQueue s_cancelWaiters = new();

    /// <summary>Of an async function's run. Written by the worker that begins one; used again until it is cancelled.</summary>
    private CancellationTokenSource? _cancellation;

    private protected Work(ItemKind kind)
        : base(kind)
    {
    }

    /// <summary>Where it is to go. Written by the owner of Pending before the item is pushed into an inbox.</summary>
    internal Workqueue? Target { get; set; }

    /// <summary>The thread that pushed it into an inbox: who is to be told that it was refused. Written as <see cref="Target"/>.</summary>
    internal int PushedBy { get; set; }

    /// <summary>Its push into an inbox came after the queue had closed: who pushed it, and still owns Pending, is to be told. Lock: the run lock.</summary>
    internal bool IsRefused { get; set; }

    /// <summary>The queue that it was last put on. Written by the owner of Pending under the run lock.</summary>
    internal Workqueue? Queue { get; private set; }

    /// <summary>The flush epoch of its pending run. Lock: the run lock.</summary>
    internal FlushEpoch? Epoch { get; private set; }

    /// <summary>
    /// Its run in progress; null, too, for one that a worker began from its stage and that nobody has looked for yet (<see cref="FindRun"/>). Lock: the run lock.
    /// </summary>
    internal WorkRun? RunInProgress { get; private set; }

    /// <summary>
    /// Whose stage it is in, or was begun from. Written under the run lock, or by the owner of Pending while it does not run: before the state that says that it is
    /// staged. So it is that of the state read before, or the state is another by now.
    /// </summary>
    private PoolWorker? _stagedBy;

    /// <summary>In the list of its queue, a pool or a run, rather than in the wheel, in a stage or on the way. Lock: the run lock.</summary>
    internal bool IsQueued { get; set; }

    /// <summary>Waits for its queue to have fewer than <c>MaxActive</c> items at work. Lock: the run lock.</summary>
    internal bool IsInactive { get; set; }

    /// <summary>
    /// The system whose lock guards this item: that of the first queue, for good. Set once, by compare-and-swap.
    /// </summary>
    private KworkerSystem? _system;

    /// <summary>The item whose function calls, or null outside of work functions (<c>current_work</c>).</summary>
    public static Work? Current => PoolWorker.Current?.CurrentWork;

    /// <summary>Whether it is queued, its time runs, or it is being cancelled (<c>work_pending</c>).</summary>
    public bool IsPending => (Seam.Read(in State) & Pending) != 0;

    /// <summary>What it is doing (<c>work_busy</c>).</summary>
    public WorkBusy Busy => (WorkBusy)(int)(Seam.Read(in State) & (Pending | Running));

    /// <summary>For exceptions and dumps: the function's name.</summary>
    internal abstract string FunctionName { get; }

    internal bool IsAsync => Kind == ItemKind.AsyncWork;

    /// <summary>How a function is called in snapshots, traces and messages: <c>Type.Method</c>, and for a lambda <c>Type.Method lambda</c>.</summary>
    public static string NameOf(Delegate function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return Kworker.FunctionName.Of(function);
    }

    /// <summary>Its name in snapshots, traces and messages: its function's, or that of an owner which is an <see cref="INamedWork"/>.</summary>
    public override string ToString() => FunctionName;

    /// <summary>Runs an async function up to its first await that waits.</summary>
    internal virtual ValueTask ExecuteAsync() => throw new UnreachableException("It has no async function.");

    /// <summary>The token of the run that is about to begin, and that the caller executes.</summary>
    private protected CancellationToken NewToken()
    {
        if (_cancellation is null || !_cancellation.TryReset())
            Volatile.Write(ref _cancellation, new CancellationTokenSource());
        // A cancel-sync (a disabling, the end of a drain's time) says so before it looks for the source: it finds this one, or is seen here.
        Seam.Fence();
        CancellationTokenSource cancellation = _cancellation!;
        if (IsCanceling || IsDisabled || RunInProgress!.Queue!.IsOverdue)
            cancellation.Cancel();
        return cancellation.Token;
    }

    /// <summary>Whether an exception only says that the run saw its token cancelled: then it is the run's end, and no failure.</summary>
    internal bool IsOwnCancellation(Exception exception) =>
        exception is OperationCanceledException cancelled && _cancellation is { IsCancellationRequested: true } own && cancelled.CancellationToken == own.Token;

    /// <summary>Queues it on <see cref="Workqueue.System"/> (<c>schedule_work</c>); false when it is pending already.</summary>
    public bool Schedule() => Workqueue.System.Queue(this);

    /// <summary>
    /// Takes back what is pending, also when its time runs (<c>cancel_work</c>, <c>cancel_delayed_work</c>); a run that has begun goes on.
    /// True when it was pending and is no more.
    /// </summary>
    public bool Cancel()
    {
        if (TryCancelTime())
            return true;
        if (TryGrab(takeIdle: false) != Grab.Taken)
            return false;
        ReleasePending();
        return true;
    }

    /// <summary>
    /// Takes back what is pending and waits until a run that has begun is over (<c>cancel_work_sync</c>, <c>cancel_delayed_work_sync</c>). When it
    /// returns the item is neither pending nor running, whatever its function did to queue it again, and stays so until somebody queues it anew.
    /// Meanwhile queueing is refused.
    /// </summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="DeadlockException">The run is the caller, or waits for the caller: it would never end. The run goes on; what was pending stays so, unless the run
    /// began only while this call was under way: then it has been taken back.</exception>
    public bool CancelSync()
    {
        WaitGraph.Wait? wait = BeginCancelWait(isAsync: false);
        Grab grab;
        while ((grab = TryGrabForCancel()) == Grab.Cancelling)
            s_cancelWaiters.WaitEvent(this, static self => !self.IsCanceling, Timeout.InfiniteTimeSpan);
        if (BarrierBehindCancelledRun() is { } barrier)
        {
            BeginLateCancelWait(ref wait, isAsync: false);
            barrier.Done.Wait();
        }

        WaitGraph.End(wait); // before it can be queued again: see RunTarget
        EndCancel();
        return grab == Grab.Taken;
    }

    /// <inheritdoc cref="CancelSync"/>
    public async ValueTask<bool> CancelSyncAsync()
    {
        WaitGraph.Wait? wait = BeginCancelWait(isAsync: true);
        Grab grab;
        while ((grab = TryGrabForCancel()) == Grab.Cancelling)
            await s_cancelWaiters.WaitEventAsync(this, static self => !self.IsCanceling, Timeout.InfiniteTimeSpan);
        if (BarrierBehindCancelledRun() is { } barrier)
        {
            BeginLateCancelWait(ref wait, isAsync: true);
            await barrier.Done.WaitAsync();
        }

        WaitGraph.End(wait);
        EndCancel();
        return grab == Grab.Taken;
    }

    /// <summary>
    /// Takes back what is pending, and refuses the item to be queued until it is enabled as often as it was disabled (<c>disable_work</c>, Linux 6.10). A run that has
    /// begun goes on; the token of an async one is cancelled.
    /// </summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="InvalidOperationException">It has been disabled 65,535 times.</exception>
    public bool Disable()
    {
        while (true)
        {
            Grab grab = TryGrabForCancel();
            if (grab != Grab.Cancelling)
            {
                try
                {
                    AddDisabled();
                    CancelRun();
                }
                finally
                {
                    EndCancel();
                }

                return grab == Grab.Taken;
            }

            if (TryAddDisabledWhileCancelling())
                return false;
        }
    }

    /// <summary>As <see cref="Disable"/>, and waits until a run that has begun is over (<c>disable_work_sync</c>, Linux 6.10).</summary>
    /// <returns>True when it was pending.</returns>
    /// <exception cref="InvalidOperationException">It has been disabled 65,535 times.</exception>
    /// <exception cref="DeadlockException">As <see cref="CancelSync"/>. It has not been disabled.</exception>
    public bool DisableSync()
    {
        WaitGraph.End(BeginCancelWait(isAsync: false)); // asked before anything is changed
        bool taken = Disable();
        CancelSync();
        return taken;
    }

    /// <inheritdoc cref="DisableSync"/>
    public async ValueTask<bool> DisableSyncAsync()
    {
        WaitGraph.End(BeginCancelWait(isAsync: true));
        bool taken = Disable();
        await CancelSyncAsync();
        return taken;
    }

    /// <summary>
    /// Takes back one <see cref="Disable"/> (<c>enable_work</c>, Linux 6.10). What was refused meanwhile is not made up for: queue the item if it may be needed.
    /// </summary>
    /// <returns>True when it can be queued again; false when it has been disabled more often than enabled.</returns>
    /// <exception cref="InvalidOperationException">It is not disabled.</exception>
    public bool Enable()
    {
        long state = Seam.Read(in State);
        while (true)
        {
            if ((state & ItemState.DisabledMask) == 0)
                throw new InvalidOperationException($"Work item {FunctionName} is not disabled.");
            long seen = Seam.CompareExchange(ref State, state - ItemState.DisabledUnit, state);
            if (seen == state)
                return ((state - ItemState.DisabledUnit) & ItemState.DisabledMask) == 0;
            state = seen;
        }
    }

    /// <summary>
    /// Waits until the last run queued before this call is over (<c>flush_work</c>, <c>flush_delayed_work</c>); a delayed item whose time runs is
    /// queued at once. Runs that are queued later are not waited for.
    /// </summary>
    /// <returns>True when it had to wait.</returns>
    /// <exception cref="DeadlockException">The run is the caller, or waits for the caller: it would never end.</exception>
    public bool Flush()
    {
        CheckFlush(isAsync: false);
        if (BarrierBehindLast(out bool expedited) is not { } barrier)
            return expedited;
        WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.Begin(new FlushTarget(barrier, this)) : null;
        barrier.Done.Wait();
        WaitGraph.End(wait);
        return true;
    }

    /// <inheritdoc cref="Flush"/>
    public async ValueTask<bool> FlushAsync()
    {
        CheckFlush(isAsync: true);
        if (BarrierBehindLast(out bool expedited) is not { } barrier)
            return expedited;
        WaitGraph.Wait? wait = WaitGraph.CallerCounts ? WaitGraph.BeginAsync(new FlushTarget(barrier, this)) : null;
        await barrier.Done.WaitAsync();
        WaitGraph.End(wait);
        return true;
    }

    /// <summary>Sets Pending if nobody has, and it is not disabled: then the caller owns it, and must queue the item or release it.</summary>
    internal bool TryTakePending() => TryTakePending(out _);

    /// <inheritdoc cref="TryTakePending()"/>
    internal bool TryTakePending(out bool runs)
    {
        long state = Seam.Read(in State);
        runs = false;
        while ((state & (Pending | ItemState.DisabledMask)) == 0)
        {
            long seen = Seam.CompareExchange(ref State, state | Pending, state);
            if (seen == state)
            {
                runs = (state & Running) != 0;
                return true;
            }

            state = seen;
        }

        return false;
    }

    /// <summary>As <see cref="TryTakePending()"/> for who does not want to queue it: also when it is disabled.</summary>
    private bool TryTakeAnyPending() => (Seam.Or(ref State, Pending) & Pending) == 0;

    internal void ReleasePending() => Seam.And(ref State, ~Pending);

    /// <summary>By an owner of Pending: not to be queued now (<c>clear_pending_if_disabled</c>).</summary>
    internal bool IsDisabled => (Seam.Read(in State) & ItemState.DisabledMask) != 0;

    /// <summary>
    /// By the owner of Pending: it stands in no list and no stage, where its state must not change.
    /// </summary>
    private void AddDisabled()
    {
        long state = Seam.Read(in State);
        while (true)
        {
            if ((state & ItemState.DisabledMask) == ItemState.DisabledMask)
                throw new InvalidOperationException($"Work item {FunctionName} has been disabled too often.");
            long seen = Seam.CompareExchange(ref State, state + ItemState.DisabledUnit, state);
            if (seen == state)
                return;
            state = seen;
        }
    }

    /// <summary>A cancel-sync owns Pending and keeps the item out of all lists; false when it does no more.</summary>
    private bool TryAddDisabledWhileCancelling()
    {
        long state = Seam.Read(in State);
        while ((state & Canceling) != 0)
        {
            if ((state & ItemState.DisabledMask) == ItemState.DisabledMask)
                throw new InvalidOperationException($"Work item {FunctionName} has been disabled too often.");
            long seen = Seam.CompareExchange(ref State, state + ItemState.DisabledUnit, state);
            if (seen == state)
                return true;
            state = seen;
        }

        return false;
    }

    /// <summary>By the owner of Pending, before the item goes anywhere.</summary>
    /// <exception cref="InvalidOperationException">It was used with another system before; Pending has been released.</exception>
    internal void BindTo(KworkerSystem system)
    {
        KworkerSystem? bound = Volatile.Read(ref _system);
        if (ReferenceEquals(bound, system))
            return;
        bound ??= Seam.CompareExchange(ref _system, system, null);
        if (bound is null || ReferenceEquals(bound, system))
            return;
        ReleasePending();
        throw new InvalidOperationException($"Work item {FunctionName} belongs to another KworkerSystem: it was first queued there.");
    }

    /// <summary>Run lock: the item enters a list of <paramref name="queue"/>.</summary>
    internal void EnterQueue(Workqueue queue, FlushEpoch epoch)
    {
        EnterEpoch(queue, epoch);
        IsQueued = true;
    }

    /// <summary>Run lock: it counts for <paramref name="queue"/>. Mostly the same as before: a look costs less than a write of a reference.</summary>
    internal void EnterEpoch(Workqueue queue, FlushEpoch epoch)
    {
        if (!ReferenceEquals(Queue, queue))
            Queue = queue;
        if (!ReferenceEquals(Epoch, epoch))
            Epoch = epoch;
    }

    /// <summary>Run lock, by the worker that is about to run it: from here it may be queued again.</summary>
    internal void BeginRun(WorkRun run)
    {
        RunInProgress = run;
        IsQueued = false;
        Seam.Or(ref State, Running);
        Seam.And(ref State, ~Pending);
    }

    /// <summary>Run lock, by the worker that ran it.</summary>
    internal void EndRun()
    {
        RunInProgress = null;
        Seam.And(ref State, ~(Running | ItemState.Watched));
    }

    private string DebuggerDisplay => $"{FunctionName}: {Busy}";

}

/// <summary>A work item of an owner: what <c>container_of</c> is for in the kernel, with a type.</summary>
/// <typeparam name="TOwner">What the function works on.</typeparam>
public sealed class Work<TOwner> : Work
{
    private readonly WorkFunction<TOwner> _function;

    /// <summary>An item with a plain function.</summary>
    /// <param name="owner">Given to the function each time.</param>
    /// <param name="function">Run on a worker of the queue. An exception that leaves it goes to <see cref="Workqueue.UnhandledException"/>.</param>
    public Work(TOwner owner, Action<TOwner> function)
        : base(ItemKind.PlainWork)
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>An item with an async function: while it awaits it holds no worker, what follows runs on the queue's workers.</summary>
    /// <param name="owner">Given to the function each time.</param>
    /// <param name="function">Counts as running, once, until its task is done. The token is cancelled by <see cref="Work.CancelSync"/>.</param>
    public Work(TOwner owner, Func<TOwner, CancellationToken, ValueTask> function)
        : base(ItemKind.AsyncWork)
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>What the function works on.</summary>
    public TOwner Owner { get; }

    internal override string FunctionName => Owner is INamedWork named ? named.WorkName : _function.Name;

    internal override void Execute() => _function.Run(Owner);

    internal override ValueTask ExecuteAsync() => _function.RunAsync(Owner, NewToken());
}
