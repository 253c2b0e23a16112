namespace Kworker;

/// <summary>
/// What one thread has armed and disarmed and the wheel has not been told of yet: a ring, written by that thread alone and emptied by whoever holds the base's lock.
/// A base knows only of those that hold something (<see cref="IsListed"/>): that of a thread that has ended is emptied a last time, and then nobody knows it.
/// </summary>
internal sealed class TimerInbox(TimerBase owner, int size)
{
    private readonly Slot[] _slots = new Slot[size];

    /// <summary>Items taken out, all in all. Written under the base's lock.</summary>
    private int _head;

    /// <summary>Items put in, all in all. Written by the thread.</summary>
    private int _tail;

    /// <summary>
    /// 1: the base has it on its list of those to be emptied. 0 → 1 by the thread, after it has put an item in and a full fence; 1 → 0 under the base's lock, by who took
    /// it from the list, before a full fence and a look at what is in it. So what is put in is found, or the thread finds 0 and lists it again.
    /// </summary>
    internal int IsListed;

    /// <summary>Link of the base's list. Written by the thread before it lists it, read by who took it from the list before that says so.</summary>
    internal TimerInbox? NextListed;

    /// <summary>The thread's: its inbox of another base.</summary>
    internal TimerInbox? NextOfThread;

    // The thread's: how often it has looked at the clock for a long delay since when. See TimerLimits.BusyArmings.
    internal int LongArmings;
    internal long LongArmingsSince;

    internal TimerBase Owner => owner;

    /// <summary>By the thread: false when it is full.</summary>
    internal bool TryAdd(DeferredItem item)
    {
        int tail = _tail;
        if (tail - Seam.Read(in _head) == _slots.Length)
            return false;
        _slots[tail & (_slots.Length - 1)].Item = item;
        Seam.Write(ref _tail, tail + 1);
        return true;
    }

    /// <summary>Base's lock: how many items are in it now. They stay until <see cref="Take"/>.</summary>
    internal int Count => Seam.Read(in _tail) - _head;

    /// <summary>Base's lock: one of those counted.</summary>
    internal DeferredItem this[int index] => _slots[(_head + index) & (_slots.Length - 1)].Item!;

    /// <summary>Base's lock: takes the first ones out.</summary>
    internal void Take(int count)
    {
        for (int i = 0; i < count; i++)
            _slots[(_head + i) & (_slots.Length - 1)].Item = null;
        Seam.Write(ref _head, _head + count);
    }

    /// <summary>An array of these is written without a look at the type of its elements.</summary>
    private struct Slot
    {
        internal DeferredItem? Item;
    }
}
