namespace Kworker;

/// <content>How it goes into a worker's stage, is begun and ended from there, and taken back.</content>
public abstract partial class Work
{
    /// <summary>Whether a worker may take it ahead: a plain function that is not running. Run lock; it is in a list.</summary>
    internal bool MayBeStaged => !IsTied && Queue!.IsPlain && MayBeReceivedStaged;

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
        ticket = ((State & ~ItemState.StageIndexMask) + ItemState.CountUnit) | ((long)index << ItemState.StageIndexShift) | ItemState.Staged;
        Seam.Write(ref State, ticket);
    }

    /// <summary>
    /// By the owner of Pending, its worker, without the lock: into the stage. It does not run, nobody else writes the state. The ticket first: who sees the state looks at it.
    /// </summary>
    internal void ChainToStage(PoolWorker worker, int index, ref long ticket)
    {
        if (!ReferenceEquals(_stagedBy, worker))
            _stagedBy = worker;
        ticket = ((State & ~ItemState.StageIndexMask) + ItemState.CountUnit) | ((long)index << ItemState.StageIndexShift) | ItemState.Staged;
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
}
