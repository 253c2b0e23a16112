namespace Kworker;

/// <summary>
/// What a worker has taken ahead from its pool's list: several items under one lock. It begins and ends each by one compare-and-swap on the item's
/// state, without the run lock; what the run lock guards catches up later, when somebody needs it or the stage is done with.
/// <para>
/// An item in a stage is pending and counts as active. Whoever holds the run lock may take it back (<see cref="TryReturn"/>, to cancel or flush it, or because
/// the worker blocks, or because another has nothing to do): the staging sequence in the state word decides between the two, also if the item has been
/// queued and staged anew meanwhile. A run that somebody wants to stand behind becomes a <see cref="WorkRun"/> (<see cref="TryWatch"/>): the Watched bit
/// makes the worker end it under the lock.
/// </para>
/// Marked R: guarded by the run lock. Marked O: the owning worker's own.
/// </summary>
internal sealed partial class Stage(WorkerPool pool)
{
    /// <summary>More save no more: the lock is a small part of what sixteen items cost.</summary>
    internal const int Size = 16;

    private readonly Slot[] _slots = new Slot[Size];

    /// <summary>R, and read by the owner, who alone adds: slots that hold an item.</summary>
    private int _count;

    /// <summary>Written by the owner without the lock: slots before this one are over, by a run or because the item was taken back.</summary>
    private int _ended;

    /// <summary>R: slots before this one are accounted for.</summary>
    private int _settled;

    /// <summary>O: slots that name an item, perhaps an old one.</summary>
    private int _used;

    /// <summary>R: links of the pool's stages that hold items.</summary>
    internal Stage? NextStage;

    /// <summary>R: see <see cref="NextStage"/>.</summary>
    internal Stage? PreviousStage;

    /// <summary>O.</summary>
    internal int Count => _count;

    /// <summary>R: it holds an item that has not been begun.</summary>
    internal bool HasWaiting
    {
        get
        {
            for (int index = Seam.Read(in _ended) + 1; index < _count; index++)
            {
                if (!_slots[index].IsSettled)
                    return true;
            }

            return false;
        }
    }

    /// <summary>R, by the owner: takes an item that stands in no list any more.</summary>
    internal void Add(Work work, PoolWorker worker)
    {
        int index = _count++;
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

    /// <summary>R: accounts for the runs that have ended.</summary>
    internal void Settle()
    {
        for (int ended = Seam.Read(in _ended); _settled < ended; _settled++)
        {
            ref Slot slot = ref _slots[_settled];
            if (slot.IsSettled)
                continue;
            slot.IsSettled = true;
            slot.Queue.Finish(slot.Epoch, counted: true);
        }
    }

    /// <summary>R, by the owner, when all its slots are over: accounts for them. What the slots name is kept until it is overwritten, or <see cref="Release"/>.</summary>
    internal void Clear()
    {
        Settle();
        _used = Math.Max(_used, _count);
        _count = 0;
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
            for (int index = 0; index < _count; index++)
            {
                if (_slots[index].Queue.IsEager)
                    return true;
            }

            return false;
        }
    }

    /// <summary>R: takes back an item, which then stands in no list; false when the worker has begun it.</summary>
    internal bool TryReturn(int index)
    {
        ref Slot slot = ref _slots[index];
        if (slot.IsSettled || !slot.Work.TryLeaveStage(slot.Ticket))
            return false;
        slot.IsSettled = true;
        return true;
    }

    /// <summary>R: puts back to the front of the pool's list, in its order, what has not been begun, or the later half of it; true when there was any.</summary>
    internal bool Return(bool half)
    {
        int first = Seam.Read(in _ended);
        int left = 0;
        for (int index = first; index < _count; index++)
            left += _slots[index].IsSettled ? 0 : 1;
        if (half)
            left /= 2;
        bool any = false;
        for (int index = _count - 1; left > 0; index--)
        {
            if (_slots[index].IsSettled)
                continue;
            left--;
            if (!TryReturn(index))
                break; // the worker has come this far
            pool.AddFirst(_slots[index].Work);
            any = true;
        }

        return any;
    }

    /// <summary>R: makes a run that began from this stage one that others can stand behind; false when it has ended.</summary>
    internal bool TryWatch(int index, WorkRun run)
    {
        ref Slot slot = ref _slots[index];
        if (!slot.Work.TrySetWatched())
            return false;
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
