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

    /// <summary>Whether a worker may take it ahead: a plain function that is not running. Run lock; it is in a list.</summary>
    internal bool MayBeStaged => !IsTied && !Queue!.IsCpuIntensive && MayBeReceivedStaged;

    /// <summary>The same of one that comes from the inbox, where nothing is tied to it.</summary>
    internal bool MayBeReceivedStaged => !IsAsync && (Seam.Read(in State) & Running) == 0;

    /// <summary>
    /// Run lock: from a list into a stage. A plain write will do: the item is pending and does not run, so only who has taken it out of the list writes its state.
    /// </summary>
    internal void EnterStage(PoolWorker worker, int index, out long ticket)
    {
        if (IsQueued)
            IsQueued = false;
        if (!ReferenceEquals(_stagedBy, worker))
            _stagedBy = worker;
        ticket = ((State & ~ItemState.StageIndexMask) + ItemState.StagingUnit) | ((long)index << ItemState.StageIndexShift) | ItemState.Staged;
        Seam.Write(ref State, ticket);
    }

    /// <summary>
    /// By the owner of Pending, its worker, without the lock: into the stage. It does not run, nobody else writes the state. The ticket first: who sees the state looks at it.
    /// </summary>
    internal void ChainToStage(PoolWorker worker, int index, ref long ticket)
    {
        if (!ReferenceEquals(_stagedBy, worker))
            _stagedBy = worker;
        ticket = ((State & ~ItemState.StageIndexMask) + ItemState.StagingUnit) | ((long)index << ItemState.StageIndexShift) | ItemState.Staged;
        Seam.Write(ref State, ticket);
    }

    /// <summary>Run lock, of one that has just been taken out of a stage: from here it is one of a list, as if it had never been staged.</summary>
    internal void LeaveTo(Workqueue queue, FlushEpoch epoch)
    {
        EnterEpoch(queue, epoch);
        if (IsInactive)
            IsInactive = false;
    }

    /// <summary>Where it stands in the stage, or stood there before it was begun.</summary>
    private static int StageIndexOf(long state) => (int)((state & ItemState.StageIndexMask) >> ItemState.StageIndexShift);

    /// <summary>Run lock: out of its stage, unless the worker was first.</summary>
    internal bool TryLeaveStage(long ticket) => Seam.CompareExchange(ref State, ticket & ~ItemState.Staged, ticket) == ticket;

    /// <summary>By the worker in whose stage it is, without the lock: from here it runs, and may be queued again. False when it has been taken back.</summary>
    internal bool TryBeginStaged(long ticket) =>
        Seam.CompareExchange(ref State, (ticket & ~(Pending | ItemState.Staged)) | Running, ticket) == ticket;

    /// <summary>By the worker that began it so, without the lock: the run is over. False when it is watched, and then the worker ends it under the lock.</summary>
    internal bool TryEndStaged()
    {
        long state = Seam.Read(in State);
        while ((state & ItemState.Watched) == 0)
        {
            long seen = Seam.CompareExchange(ref State, state & ~Running, state);
            if (seen == state)
                return true;
            state = seen;
        }

        return false;
    }

    /// <summary>Run lock: the run in progress is to end under the lock. False when the one that was seen is over.</summary>
    internal bool TrySetWatched(long state)
    {
        long staging = state;
        while ((state & Running) != 0 && ItemState.IsSameStaging(staging, state))
        {
            long seen = Seam.CompareExchange(ref State, state | ItemState.Watched, state);
            if (seen == state)
                return true;
            state = seen;
        }

        return false;
    }

    /// <summary>Run lock: its run in progress, which from here ends under the lock; null when there is none.</summary>
    internal WorkRun? FindRun()
    {
        long state;
        while (RunInProgress is null && ((state = Seam.Read(in State)) & Running) != 0)
        {
            if (Seam.Read(in _stagedBy)!.TryWatch(this, StageIndexOf(state), state, out WorkRun? run))
                RunInProgress = run;
        }

        return RunInProgress;
    }

    /// <summary>Run lock: if it waits in a worker's stage, it goes back to the front of the pool's list, where it can be found.</summary>
    private void LeaveStage()
    {
        long state;
        while (((state = Seam.Read(in State)) & ItemState.Staged) != 0)
            Seam.Read(in _stagedBy)!.Stage.TryReturn(this, StageIndexOf(state), state);
    }

    /// <summary>
    /// Takes over Pending for good (the caller owns it afterwards), or says who else has it (<c>try_to_grab_pending</c>). Waits in a loop only for
    /// somebody who is between two steps: from setting Pending to entering the queue, or from the wheel to the queue.
    /// </summary>
    /// <param name="takeIdle">
    /// Take Pending of an idle item, too. If it is not to be queued and nobody is to be kept from queueing it, that is wrong: who queues it in that
    /// moment is told that it is pending.
    /// </param>
    internal Grab TryGrab(bool takeIdle = true)
    {
        var spin = new SpinWait();
        while (true)
        {
            if (TryDisarm())
                return Grab.Taken;
            if (takeIdle ? TryTakeAnyPending() : !IsPending)
                return Grab.WasIdle;
            if (TryUnqueue())
                return Grab.Taken;
            if (IsCanceling)
                return Grab.Cancelling;
            Seam.Spin(ref spin);
        }
    }

    /// <summary>Takes a delayed item out of the wheel, keeping Pending.</summary>
    private protected virtual bool TryDisarm() => false;

    /// <summary>Takes a delayed item out of the wheel, and releases Pending.</summary>
    private protected virtual bool TryCancelTime() => false;

    /// <summary>Queues a delayed item whose time runs at once; true when it was such a one.</summary>
    private protected virtual bool Expedite() => false;

    /// <summary>A delayed item, and its time runs. A look without the lock.</summary>
    private protected virtual bool IsTimeRunning => false;

    private protected KworkerSystem? BoundSystem => Seam.Read(in _system);

    private bool IsCanceling => (Seam.Read(in State) & Canceling) != 0;

    private bool TryUnqueue()
    {
        if (BoundSystem is not { } system)
            return false;
        system.RunLock.Enter();
        LeaveStage();
        bool taken = IsQueued;
        if (taken)
        {
            // The worker that would have come for this item comes for what takes its place, and for a barrier that is left alone, but as in the kernel no
            // sooner. Only where it waited behind its own run on a worker of another pool, nobody of its queue's pool would come.
            if (RunInProgress is { } run && !ReferenceEquals(run.Pool, Queue!.Pool))
                Queue.Pool.NeedsPlan = true;
            Queue!.Remove(this);
            IsQueued = false;
        }

        system.RunLock.Exit();
        return taken;
    }

    private Grab TryGrabForCancel()
    {
        Grab grab = TryGrab();
        if (grab != Grab.Cancelling)
            Seam.Or(ref State, Canceling);
        return grab;
    }

    private void EndCancel()
    {
        Seam.And(ref State, ~(Canceling | Pending));
        s_cancelWaiters.WakeUpAll();
    }

    /// <summary>
    /// A barrier behind the run in progress, whose token is cancelled; null when there is none. The caller owns Pending, so no other run follows; one that
    /// has begun but has no token yet sees that it is being cancelled when it makes one.
    /// </summary>
    private FlushBarrier? BarrierBehindCancelledRun()
    {
        FlushBarrier? barrier = BarrierBehind();
        if (barrier is not null)
            CancelRun();
        return barrier;
    }

    /// <summary>Cancels the token of an async run in progress. Called while no other run can begin, or while all that begin are to be cancelled.</summary>
    internal void CancelRun()
    {
        if (Seam.Read(in _cancellation) is not { } cancellation)
            return;
        try
        {
            cancellation.Cancel();
        }
        catch (AggregateException e)
        {
            Queue!.Report(this, e); // a callback of the function's failed
        }
    }

    /// <summary>
    /// Expedites it, and puts a barrier behind its last run. Waits for somebody who is between two steps, from setting Pending to entering the queue or the wheel:
    /// who was told then that the item is pending may flush it.
    /// </summary>
    /// <param name="expedited">It was put into the queue here. It may have run already when the barrier is to be put in: it was waited for all the same.</param>
    private FlushBarrier? BarrierBehindLast(out bool expedited)
    {
        bool wasBetween = (Seam.Read(in State) & (Pending | ItemState.Armed)) == Pending;
        expedited = Expedite();
        if (expedited)
            wasBetween = false; // once: what is armed from here on is for a later flush
        var spin = new SpinWait();
        while (true)
        {
            FlushBarrier? barrier = BarrierBehind(wasBetween, out bool isBetween);
            if (!isBetween)
                return barrier;
            wasBetween = !expedited;
            Seam.Spin(ref spin);
            if (expedited || !Expedite())
                continue;
            expedited = true;
            wasBetween = false;
        }
    }

    private FlushBarrier? BarrierBehind() => BarrierBehind(wasBetween: false, out _);

    /// <summary>A barrier behind the last run: behind the pending one if it is queued, else behind the one in progress (<c>start_flush_work</c>).</summary>
    /// <param name="wasBetween">Somebody may have been between two steps before: if its time runs now, that is what he did, and it is to be expedited.</param>
    /// <param name="isBetween">Look again: somebody is between two steps.</param>
    private FlushBarrier? BarrierBehind(bool wasBetween, out bool isBetween)
    {
        isBetween = false;
        if (BoundSystem is not { } system)
        {
            isBetween = IsPending;
            return null;
        }

        FlushBarrier? barrier = null;
        system.RunLock.Enter();
        LeaveStage();
        if (IsQueued)
        {
            barrier = new FlushBarrier(Queue!, Epoch!);
            barrier.IsTied = IsTied; // another barrier stands there already, and goes along, too
            IsTied = true;
            Next!.InsertBefore(barrier);
        }
        else if ((Seam.Read(in State) & (Pending | Canceling)) == Pending && (wasBetween || !IsTimeRunning))
        {
            isBetween = true;
        }
        else if (FindRun() is { } run)
        {
            barrier = new FlushBarrier(run.Queue!, run.Epoch!);
            run.Scheduled.AddFirst(barrier);
        }

        if (barrier is not null)
        {
            barrier.Epoch.InFlight++;
            // As with any item that is put in: a barrier whose item was cancelled may be waiting in the pool for somebody to come.
            barrier.Queue.Pool.NeedsPlan = true;
        }

        system.RunLock.Exit();
        return barrier;
    }

    private string DebuggerDisplay => $"{FunctionName}: {Busy}";

    /// <summary>What became of an attempt to take over Pending.</summary>
    internal enum Grab
    {
        /// <summary>It was not pending; now the caller owns Pending, if it asked for that.</summary>
        WasIdle,

        /// <summary>It was pending and is taken back; the caller owns Pending.</summary>
        Taken,

        /// <summary>A cancel-sync owns it.</summary>
        Cancelling,
    }
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

    internal override string FunctionName => _function.Name;

    internal override void Execute() => _function.Run(Owner);

    internal override ValueTask ExecuteAsync() => _function.RunAsync(Owner, NewToken());
}
