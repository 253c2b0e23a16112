namespace Kworker;

/// <summary>
/// The one lock of a <see cref="KworkerSystem"/> over all lists of queues, pools and workers and what is counted about them: so an item goes from a queue
/// to a pool to a worker in one step that nobody sees half done.
/// <para>
/// Queueing and running tiny items do without it, in bulk: producers push items into a pool's <see cref="Inbox"/>, workers take several at once into
/// their <see cref="Stage"/>. Who takes the lock first brings in what the inboxes hold, so under the lock every item that has been queued stands in a list, in a
/// stage, or runs. What is to be done about others (workers to wake or to make, flushes that are over) is noted under the lock and done by <see cref="Exit"/>
/// after it.
/// </para>
/// </summary>
internal sealed class RunLock
{
    private readonly WorkerPool[] _pools;
    private Spinlock _lock;

    /// <summary>Flush epochs found empty, to be completed. Lock: this one.</summary>
    private FlushEpoch? _finished;

    /// <summary>Items to be told of. Lock: this one.</summary>
    private List<Work>? _activated;

    internal RunLock(params WorkerPool[] pools) => _pools = pools;

    internal void Enter()
    {
        _lock.Enter();
        Settle();
    }

    /// <summary>
    /// As <see cref="Enter"/>, but the inboxes stay as they are: for a worker that looks at its own pool's itself, or calls <see cref="Settle"/> when it finds that it must.
    /// </summary>
    internal void EnterUnsettled() => _lock.Enter();

    /// <summary>Lets go of the lock; then wakes and completes what has been noted.</summary>
    internal void Exit()
    {
        if (!HasNoted)
            _lock.Exit();
        else
            ExitAndCarry();
    }

    private void ExitAndCarry()
    {
        HasNoted = false;
        WakePlan first = default, second = default, third = default;
        foreach (WorkerPool pool in _pools)
        {
            if (!pool.NeedsPlan)
                continue;
            WakePlan plan = pool.PlanWake();
            if (!plan.IsAny)
                continue;
            if (!first.IsAny)
                first = plan;
            else if (!second.IsAny)
                second = plan;
            else
                third = plan;
        }

        FlushEpoch? finished = _finished;
        _finished = null;
        List<Work>? activated = _activated;
        _activated = null;
        _lock.Exit();

        first.Carry();
        second.Carry();
        third.Carry();
        while (finished is not null)
        {
            FlushEpoch? next = finished.NextFinished;
            finished.Done.CompleteAll();
            finished = next;
        }

        if (activated is not null)
            activated.ForEach(TracePoints.Activated);
    }

    /// <summary>Somebody listens: <see cref="Exit"/> tells of the item. Lock: this one.</summary>
    internal void NoteActivated(Work work)
    {
        (_activated ??= []).Add(work);
        HasNoted = true;
    }

    /// <summary>Something has been noted: who holds the lock for several items lets go of it in between. Lock: this one.</summary>
    internal bool HasNoted { get; set; }

    /// <summary>
    /// For a look at what stands, with nothing brought in: by who holds another lock, under which nothing may be carried out. What it notes all the same (by
    /// accounting for runs that have ended) the next <see cref="Exit"/> carries out: the caller owes one.
    /// </summary>
    internal void EnterToLook() => _lock.Enter();

    /// <inheritdoc cref="EnterToLook"/>
    internal void ExitFromLook() => _lock.Exit();

    internal void AssertHeld() => _lock.AssertHeld();

    /// <summary>Nothing of this epoch and those before it is left: <see cref="Exit"/> completes it.</summary>
    internal void Note(FlushEpoch epoch)
    {
        epoch.NextFinished = _finished;
        _finished = epoch;
        HasNoted = true;
    }

    /// <summary>Brings in what has been pushed into the inboxes.</summary>
    internal void Settle()
    {
        foreach (WorkerPool pool in _pools)
            pool.EmptyInbox();
    }
}
