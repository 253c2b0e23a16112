using System.Numerics;

namespace Kworker;

/// <summary>
/// A hierarchical timer wheel: O(1) to arm and to cancel, O(1) a timer in all to fire. Tickless: between the armed times nothing runs.
/// <para>
/// A tick is a millisecond since the base was made. Level 0 has 256 slots of one tick; each of the four levels above has 64 slots, a slot
/// as wide as the whole level below. A timer stands in the lowest level that reaches to its tick. When the clock comes to the beginning
/// of a slot of a level above, what stands there is put in anew, one level lower at least (a cascade); so each timer moves at most
/// four times. One bit a slot says which are occupied: the next slot with something in it is found without looking at the others.
/// What is due later than the top level reaches (49 days) waits in its last slot and is put in anew when that comes.
/// </para>
/// <para>
/// Never early: a delay is counted from now in ticks rounded up, and a tick fires when the clock has passed its beginning.
/// </para>
/// Lock rule: all fields are guarded by <c>_lock</c> but for those marked otherwise.
/// </summary>
internal sealed class TimerBase : IDisposable
{
    internal const long TicksPerSecond = 1000;
    private const int Level0Bits = 8;
    private const int LevelBits = 6;
    private const int Levels = 5;
    private const long Never = long.MaxValue;

    private readonly TimeProvider _timeProvider; // immutable
    private readonly long _origin; // immutable
    private readonly TimerClock _clock; // immutable; called without the lock
    private Spinlock _lock;

    /// <summary>Slots: 256 of level 0, then 64 of each level above. Made when first used.</summary>
    private readonly ItemList?[] _slots = new ItemList?[256 + ((Levels - 1) * 64)];

    /// <summary>Which slots are occupied: four words of level 0, then one a level. A bit may stay set for a slot that has been emptied.</summary>
    private readonly ulong[] _occupied = new ulong[4 + Levels - 1];

    private readonly ItemList _expired = new();

    /// <summary>The next tick to be processed: all before it have been.</summary>
    private long _next;

    /// <summary>Whose <see cref="DeferredItem.Expire"/> runs right now, and on which thread.</summary>
    private DeferredItem? _running;

    /// <summary>When the clock will call next; <see cref="Never"/> when it is not set.</summary>
    private long _programmed = Never;

    /// <summary>Somebody is processing: new timers need not set the clock, it is set when processing ends.</summary>
    private bool _processing;

    private int _runningThread;

    /// <param name="timeProvider">Its clock.</param>
    /// <param name="ownThread">A thread of ours waits for the next expiry, rather than a timer of the provider: for the system's clock.</param>
    internal TimerBase(TimeProvider timeProvider, bool ownThread)
    {
        _timeProvider = timeProvider;
        _origin = timeProvider.GetTimestamp();
        _clock = ownThread ? new SystemTimerClock(this) : new ProviderTimerClock(this, timeProvider);
    }

    /// <summary>Ticks that have passed, rounded down.</summary>
    internal long Now => (long)((Int128)(_timeProvider.GetTimestamp() - _origin) * TicksPerSecond / _timeProvider.TimestampFrequency);

    /// <summary>The first tick that begins no earlier than <paramref name="delay"/> from now.</summary>
    private long DueTick(TimeSpan delay)
    {
        Int128 now = (Int128)(_timeProvider.GetTimestamp() - _origin) * TimeSpan.TicksPerSecond;
        Int128 due = now + ((Int128)delay.Ticks * _timeProvider.TimestampFrequency);
        Int128 perTick = (Int128)_timeProvider.TimestampFrequency * (TimeSpan.TicksPerSecond / TicksPerSecond);
        return (long)((due + perTick - 1) / perTick);
    }

    /// <summary>Arms <paramref name="node"/>, which must not be armed, to fire after <paramref name="delay"/>.</summary>
    internal void Arm(DeferredItem node, TimeSpan delay)
    {
        if (Insert(node, delay))
            Program();
    }

    /// <summary>
    /// As <see cref="Arm"/> for a caller that holds a lock: true when it must call <see cref="Program"/> after it has let go of it. (To set the clock may
    /// make a thread, and a clock of the user's may even fire at once.)
    /// </summary>
    internal bool Insert(DeferredItem node, TimeSpan delay)
    {
        long due = DueTick(delay);
        long now = Now;
        bool earlier;
        _lock.Enter();
        // With nothing due the wheel stands still; bring it to the present first, so that short delays land in low levels.
        if (!_processing)
            _next = Math.Max(_next, Math.Min(now, NextEvent()));
        node.IsArmed = true;
        node.Expires = due;
        Put(node);
        earlier = !_processing && NextEvent() < _programmed;
        _lock.Exit();
        return earlier;
    }

    /// <summary>
    /// Disarms <paramref name="node"/>; true when it was armed, and then it will not fire (<c>del_timer</c>).
    /// When false it may be firing right now.
    /// </summary>
    internal bool Cancel(DeferredItem node)
    {
        _lock.Enter();
        bool armed = node.IsArmed;
        if (armed)
        {
            node.IsArmed = false;
            node.Unlink();
        }

        _lock.Exit();
        return armed;
    }

    /// <summary>
    /// Disarms, and waits until a firing that has begun is over (<c>del_timer_sync</c>), so that the node may be used anew.
    /// Not for a node whose <see cref="DeferredItem.Expire"/> the caller is in: there it returns at once.
    /// </summary>
    internal bool CancelSync(DeferredItem node)
    {
        var spin = new SpinWait();
        while (true)
        {
            _lock.Enter();
            bool armed = node.IsArmed;
            if (armed)
            {
                node.IsArmed = false;
                node.Unlink();
            }

            bool wait = !armed && ReferenceEquals(_running, node) && _runningThread != Environment.CurrentManagedThreadId;
            _lock.Exit();
            if (!wait)
                return armed;
            Seam.Spin(ref spin); // Expire is short and does not sleep
        }
    }

    /// <summary>
    /// Fires all that is due. Called by the clock. Only one thread processes at a time; one that finds another at it leaves,
    /// and the other sees what has become due, because it asks for the time again before it stops.
    /// </summary>
    internal void Process()
    {
        _lock.Enter();
        _programmed = Never;
        if (_processing)
        {
            _lock.Exit();
            return;
        }

        _processing = true;
        _runningThread = Environment.CurrentManagedThreadId;
        while (true)
        {
            long now = Now;
            long next = NextEvent();
            if (next > now)
            {
                _next = Math.Max(_next, now);
                break;
            }

            _next = next;
            Cascade();
            TakeSlot((int)(_next & 255), _expired);
            _next++;
            while (_expired.TakeFirst() is { } node)
            {
                node.IsArmed = false;
                _running = node;
                _lock.Exit();
                node.Expire();
                _lock.Enter();
                _running = null;
            }
        }

        _processing = false;
        _lock.Exit();
        Program();
    }

    /// <summary>Tells the clock when to call next, until what it was told is what is due (others may arm earlier timers meanwhile).</summary>
    internal void Program()
    {
        while (true)
        {
            _lock.Enter();
            long next = _processing ? Never : NextEvent();
            if (next >= _programmed)
            {
                _lock.Exit();
                return;
            }

            _programmed = next;
            _lock.Exit();
            try
            {
                _clock.Set(next);
            }
            catch (OutOfMemoryException)
            {
                _lock.Enter();
                _programmed = Never; // no thread for the clock: the next who arms a timer tries again
                _lock.Exit();
                throw;
            }
        }
    }

    private void Put(DeferredItem node)
    {
        _lock.AssertHeld();
        long expires = Math.Max(node.Expires, _next);
        long delta = expires - _next;
        int slot;
        if (delta < 256)
        {
            slot = (int)(expires & 255);
            _occupied[slot >> 6] |= 1UL << (slot & 63);
        }
        else
        {
            int level = 1;
            while (level < Levels - 1 && delta >= 1L << (Level0Bits + (level * LevelBits)))
                level++;
            long reach = 1L << (Level0Bits + (level * LevelBits));
            if (delta >= reach)
                expires = _next + reach - 1;
            int index = (int)(expires >> Shift(level)) & 63;
            slot = 256 + ((level - 1) * 64) + index;
            _occupied[3 + level] |= 1UL << index;
        }

        (_slots[slot] ??= new ItemList()).AddLast(node);
    }

    private static int Shift(int level) => Level0Bits + ((level - 1) * LevelBits);

    /// <summary>Puts anew what stands in the slots of the upper levels that begin at <c>_next</c>.</summary>
    private void Cascade()
    {
        for (int level = 1; level < Levels && (_next & ((1L << Shift(level)) - 1)) == 0; level++)
        {
            int index = (int)(_next >> Shift(level)) & 63;
            if ((_occupied[3 + level] & (1UL << index)) == 0)
                continue;
            _occupied[3 + level] &= ~(1UL << index);
            ItemList? slot = _slots[256 + ((level - 1) * 64) + index];
            var moved = new ItemList();
            if (slot is not null)
                moved.TakeAll(slot);
            while (moved.TakeFirst() is { } node)
                Put(node);
        }
    }

    private void TakeSlot(int slot, ItemList into)
    {
        _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        if (_slots[slot] is { } list)
            into.TakeAll(list);
    }

    /// <summary>
    /// The first tick at or after <c>_next</c> at which something happens: a timer is due, or a slot above is to cascade.
    /// Emptied slots whose bit is still set are found and forgotten here.
    /// </summary>
    private long NextEvent()
    {
        _lock.AssertHeld();
        long best = Never;
        int from = (int)(_next & 255);
        for (int scanned = 0; scanned < 256;)
        {
            int slot = (from + scanned) & 255;
            ulong word = _occupied[slot >> 6] >> (slot & 63);
            if (word == 0)
            {
                scanned += 64 - (slot & 63);
                continue;
            }

            int zeros = BitOperations.TrailingZeroCount(word);
            scanned += zeros;
            slot += zeros;
            if (scanned >= 256)
                break;
            if (_slots[slot] is { IsEmpty: false })
            {
                best = _next + scanned;
                break;
            }

            _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        }

        for (int level = 1; level < Levels; level++)
        {
            int shift = Shift(level);
            // The slot that begins exactly now has not been cascaded yet; one that began before has.
            long first = (_next >> shift) + ((_next & ((1L << shift) - 1)) == 0 ? 0 : 1);
            while (_occupied[3 + level] != 0)
            {
                ulong rotated = BitOperations.RotateRight(_occupied[3 + level], (int)(first & 63));
                int distance = BitOperations.TrailingZeroCount(rotated);
                int index = (int)((first + distance) & 63);
                if (_slots[256 + ((level - 1) * 64) + index] is { IsEmpty: false })
                {
                    best = Math.Min(best, (first + distance) << shift);
                    break;
                }

                _occupied[3 + level] &= ~(1UL << index);
            }
        }

        return best;
    }

    /// <summary>How long until <paramref name="tick"/> begins, rounded up to whole milliseconds.</summary>
    internal TimeSpan Until(long tick) => TimeSpan.FromMilliseconds(Math.Max(0, tick - Now));

    public void Dispose() => _clock.Dispose();
}
