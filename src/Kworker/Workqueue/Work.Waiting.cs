namespace Kworker;

/// <content>How what is pending is taken over, to be cancelled or armed anew, and how one waits for the end of a run.</content>
public abstract partial class Work
{
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
