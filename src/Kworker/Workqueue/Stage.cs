namespace Kworker;

/// <summary>
/// What a worker has taken ahead from its pool's list: several items under one lock. It begins and ends each by one compare-and-swap on the item's
/// state, without the run lock; what the run lock guards catches up later, when somebody needs it or the stage is done with.
/// <para>
/// An item in a stage is pending and counts as active. Whoever holds the run lock may take it back (<see cref="TryReturn(Work, int, long)"/>, to cancel or flush it, or because
/// the worker blocks, or because another has nothing to do): the staging sequence in the state word decides between the two, also if the item has been
/// queued and staged anew meanwhile. A run that somebody wants to stand behind becomes a <see cref="WorkRun"/> (<see cref="TryWatch"/>): the Watched bit
/// makes the worker end it under the lock.
/// </para>
/// <para>
/// What a function queues on its own queue its worker puts behind it without the run lock (<see cref="Chain"/>), if nothing else waits. Such an item is counted by
/// whoever next settles the stage under the run lock, at the latest when the worker is through with the stage; one that has come and gone by then need not be
/// counted at all. Its run takes the place of the one that queued it, so no more than <c>MaxActive</c> are at work; if it is to be in another's hands and there is no
/// place, it becomes inactive.
/// </para>
/// Marked R: guarded by the run lock. Marked O: the owning worker's own.
/// </summary>
internal sealed partial class Stage(WorkerPool pool, PoolWorker worker)
{
    /// <summary>More save no more: the lock is a small part of what sixteen items cost.</summary>
    internal const int Size = 16;

    private readonly Slot[] _slots = new Slot[Size];

    /// <summary>Written by the owner, who alone adds, under the run lock or after the item's state says that it is here: slots that hold an item.</summary>
    private int _count;

    /// <summary>R: slots before this one are counted for their queues.</summary>
    private int _counted;

    /// <summary>Written by the owner without the lock: slots before this one are over, by a run or because the item was taken back.</summary>
    private int _ended;

    /// <summary>R: slots before this one are accounted for.</summary>
    private int _settled;

    /// <summary>O: slots that name an item, perhaps an old one.</summary>
    private int _used;

    /// <summary>R: what its worker had begun when somebody who wanted to steal its only waiting item last looked.</summary>
    private int _stepsAtLook;

    /// <summary>R: it stands among the pool's stages that hold items.</summary>
    internal bool IsListed;

    /// <summary>R: of the pool's stages that hold items.</summary>
    private StackLinks<Stage> _links;

    internal readonly struct InPool : IStackRole<Stage>
    {
        public static ref StackLinks<Stage> LinksOf(Stage item) => ref item._links;
    }

    /// <summary>O.</summary>
    internal int Count => _count;

    /// <summary>R: it holds an item that has not been begun.</summary>
    internal bool HasWaiting
    {
        get
        {
            for (int index = Seam.Read(in _ended) + 1, count = Seam.Read(in _count); index < count; index++)
            {
                if (!_slots[index].IsSettled)
                    return true;
            }

            return false;
        }
    }

    /// <summary>R, by the owner: takes an item that stands in no list any more.</summary>
    internal void Add(Work work)
    {
        int index = _count++;
        _counted = _count;
        work.EnterStage(worker, index, out long ticket);
        ref Slot slot = ref _slots[index];
        slot.Work = work;
        slot.Ticket = ticket;
        slot.IsSettled = false;
        // Mostly the same as before: a look costs less than a write of a reference.
        if (!ReferenceEquals(slot.Queue, work.Queue))
            slot.Queue = work.Queue!;
        if (!ReferenceEquals(slot.Epoch, work.Epoch))
            slot.Epoch = work.Epoch!;
    }

    /// <summary>O: there is room to <see cref="Chain"/>.</summary>
    internal bool HasRoom => _count < Size;

    /// <summary>
    /// O: puts an item behind what is here, without the lock, in the state of one that is staged. The caller owns its Pending; it does not run. From when
    /// its state is written it can be found and taken back; who does that waits for the count, which comes next.
    /// </summary>
    internal void Chain(Work work, Workqueue queue)
    {
        int index = _count;
        ref Slot slot = ref _slots[index];
        if (!ReferenceEquals(slot.Work, work))
            slot.Work = work;
        if (!ReferenceEquals(slot.Queue, queue))
            slot.Queue = queue;
        slot.IsSettled = false;
        work.ChainToStage(worker, index, ref slot.Ticket);
        Seam.Write(ref _count, index + 1);
    }

    /// <summary>O: begins an item; false when it has been taken back. A full fence.</summary>
    internal bool TryBegin(int index, out Work work, out Workqueue queue)
    {
        ref Slot slot = ref _slots[index];
        work = slot.Work;
        queue = slot.Queue;
        if (work.TryBeginStaged(slot.Ticket))
            return true;
        Seam.Write(ref _ended, index + 1);
        return false;
    }

    /// <summary>O: the function has returned. False when somebody stands behind the run: then it ends under the lock.</summary>
    internal bool TryEnd(int index)
    {
        if (!_slots[index].Work.TryEndStaged())
            return false;
        Seam.Write(ref _ended, index + 1);
        return true;
    }

    /// <summary>O: a watched run has been ended.</summary>
    internal void WasEnded(int index) => Seam.Write(ref _ended, index + 1);

    /// <summary>
    /// R: counts what has been chained, and accounts for the runs that have ended. In this order, and for runs that had ended before: so nothing that one
    /// of them queued is overlooked when the last of them is done with. What is done for one slot may come here again for those behind it.
    /// </summary>
    internal void Settle()
    {
        int ended = Seam.Read(in _ended);
        for (int count = Seam.Read(in _count); _counted < count;)
            CountChained(_counted++, ended);
        while (_settled < ended)
        {
            ref Slot slot = ref _slots[_settled++];
            if (slot.IsSettled)
                continue;
            slot.IsSettled = true;
            slot.Queue.Finish(slot.Epoch, counted: true);
        }
    }

    private void CountChained(int index, int ended)
    {
        ref Slot slot = ref _slots[index];
        if (index < ended)
        {
            slot.IsSettled = true;
            slot.Queue.CountPassed();
        }
        else if (slot.Queue.HasPlace || !slot.Work.TryLeaveStage(slot.Ticket))
        {
            // Begun though there seems to be no place: then the run before it in this stage is over, whose place it has.
            slot.Epoch = slot.Queue.CountIn();
        }
        else
        {
            slot.IsSettled = true;
            slot.Queue.AdmitInactive(slot.Work);
        }
    }

    /// <summary>R, by the owner, when all its slots are over: accounts for them. What the slots name is kept until it is overwritten, or <see cref="Release"/>.</summary>
    internal void Clear()
    {
        Settle();
        _used = Math.Max(_used, _count);
        _count = 0;
        _counted = 0;
        _ended = 0;
        _settled = 0;
    }

    /// <summary>O, when it is clear and the worker is about to idle: keeps nothing alive.</summary>
    internal void Release()
    {
        Array.Clear(_slots, 0, _used);
        _used = 0;
    }

    /// <summary>O: somebody waits for a place among the active items, or for the end, of what is here.</summary>
    internal bool IsEager
    {
        get
        {
            Workqueue? last = null;
            for (int index = 0; index < _count; index++)
            {
                Workqueue queue = _slots[index].Queue;
                if (ReferenceEquals(queue, last))
                    continue;
                if (queue.IsEager)
                    return true;
                last = queue;
            }

            return false;
        }
    }

    /// <summary>
    /// R: takes back to the front of the pool's list an item that was in this state here; false when it is not any more.
    /// </summary>
    internal bool TryReturn(Work work, int index, long ticket)
    {
        ref Slot slot = ref _slots[index];
        // What the owner may be writing: then its state is another by now, and so found not to be what was asked for, here or where it is taken back.
        if (!ReferenceEquals(slot.Work, work) || slot.Ticket != ticket)
            return false;
        var spin = new SpinWait();
        while (Seam.Read(in work.State) == ticket && Seam.Read(in _count) <= index)
            Seam.Spin(ref spin); // the owner is about to write it
        Settle();
        return TryReturn(index);
    }

    /// <summary>R, of a settled stage: takes back an item to the front of the pool's list; false when the worker has begun it.</summary>
    private bool TryReturn(int index)
    {
        ref Slot slot = ref _slots[index];
        if (slot.IsSettled || !slot.Work.TryLeaveStage(slot.Ticket))
            return false;
        slot.IsSettled = true;
        slot.Work.LeaveTo(slot.Queue, slot.Epoch);
        pool.AddFirst(slot.Work);
        return true;
    }

    /// <summary>
    /// R: gives the later half of what waits to who finds nothing to do. The only one that waits it keeps, if its worker goes on: it has begun it before anybody else
    /// could; <paramref name="isAlone"/> says that there is such a one, and to ask again.
    /// </summary>
    internal bool TrySteal(ref bool isAlone)
    {
        int waiting = 0;
        for (int index = Seam.Read(in _ended) + 1, count = Seam.Read(in _count); index < count; index++)
            waiting += _slots[index].IsSettled ? 0 : 1;
        if (waiting == 1 && pool.System.Monitor is not null)
        {
            int steps = worker.Steps;
            if (steps != _stepsAtLook)
            {
                _stepsAtLook = steps;
                isAlone = true;
                return false;
            }
        }

        return waiting > 0 && Return(half: true);
    }

    /// <summary>R: puts back to the front of the pool's list, in its order, what has not been begun, or the later half of it; true when there was any.</summary>
    internal bool Return(bool half)
    {
        Settle();
        int first = Seam.Read(in _ended);
        int count = _counted;
        int left = 0;
        for (int index = first; index < count; index++)
            left += _slots[index].IsSettled ? 0 : 1;
        if (half)
            left /= 2;
        bool any = false;
        for (int index = count - 1; left > 0; index--)
        {
            if (_slots[index].IsSettled)
                continue;
            left--;
            if (!TryReturn(index))
                break; // the worker has come this far
            any = true;
        }

        return any;
    }

    /// <summary>R: makes a run that began from this stage, in this state but for what may change while it runs, one that others can stand behind.</summary>
    internal bool TryWatch(Work work, int index, long state, WorkRun run)
    {
        ref Slot slot = ref _slots[index];
        if (!ReferenceEquals(slot.Work, work) || !ItemState.IsSameStaging(slot.Ticket, state) || !work.TrySetWatched(state))
            return false;
        Settle(); // it may have been chained
        slot.IsSettled = true; // from here the run accounts for it
        run.Begin(slot.Work, slot.Queue, slot.Epoch);
        return true;
    }

    private struct Slot
    {
        internal Work Work;
        internal Workqueue Queue;
        internal FlushEpoch Epoch;

        /// <summary>The item's state when it was put here.</summary>
        internal long Ticket;

        /// <summary>R: its place among the active items is accounted for elsewhere, or has been given up.</summary>
        internal bool IsSettled;
    }
}
