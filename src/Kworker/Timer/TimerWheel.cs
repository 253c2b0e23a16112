using System.Numerics;

namespace Kworker;

/// <summary>
/// A hierarchical timer wheel: O(1) to put in and to take out, O(1) an item in all to come round.
/// <para>
/// Level 0 has 256 slots of one tick; each of the four levels above has 64 slots, a slot as wide as the whole level below. An item stands in the lowest
/// level that reaches to its tick. When time comes to the beginning of a slot of a level above, what stands there is put in anew, one level lower at
/// least (a cascade); so each item moves at most four times. One bit a slot says which are occupied: the next slot with something in it is found without
/// looking at the others. What is due later than the top level reaches (12 days) waits in its last slot and is put in anew when that comes.
/// </para>
/// Lock rule: everything here is guarded by the base's lock.
/// </summary>
internal sealed class TimerWheel
{
    internal const long Never = long.MaxValue;

    private const int Level0Bits = 8;
    private const int LevelBits = 6;
    private const int Levels = 5;

    /// <summary>So many items of a slot above are put in anew under one hold of the lock: others may be waiting for it.</summary>
    private const int CascadeAtOnce = 256;

    /// <summary>Slots: 256 of level 0, then 64 of each level above. Made when first used.</summary>
    private readonly TimerList?[] _slots = new TimerList?[256 + ((Levels - 1) * 64)];

    /// <summary>Which slots are occupied: four words of level 0, then one a level. A bit may stay set for a slot that has been emptied.</summary>
    private readonly ulong[] _occupied = new ulong[4 + Levels - 1];

    /// <summary>The next tick to be processed: all before it have been.</summary>
    private long _next;

    // What is left of the slots above that begin at _next; and up to which level they have been emptied, 0 when none begins there or all is done.
    private TimerList _cascading = new();
    private int _cascaded;

    /// <summary><see cref="TryAdvance"/> has come to a tick, and is to be called again for what is due there.</summary>
    internal bool IsCascading => _cascaded != 0;

    /// <summary>Puts in an item that stands in no list, or takes it from where it stands.</summary>
    internal void Put(DeferredItem item, long tick) => SlotOf(tick, item).AddLast(item);

    private TimerList SlotOf(long tick, DeferredItem item)
    {
        TimerList.Unlink(ref item.Timer);
        tick = Math.Max(tick, _next);
        long delta = tick - _next;
        int slot;
        if (delta < 256)
        {
            slot = (int)(tick & 255);
            _occupied[slot >> 6] |= 1UL << (slot & 63);
        }
        else
        {
            int level = 1;
            while (level < Levels - 1 && delta >= 1L << (Level0Bits + (level * LevelBits)))
                level++;
            long reach = 1L << (Level0Bits + (level * LevelBits));
            if (delta >= reach)
                tick = _next + reach - 1;
            int index = (int)(tick >> Shift(level)) & 63;
            slot = 256 + ((level - 1) * 64) + index;
            _occupied[3 + level] |= 1UL << index;
        }

        return _slots[slot] ??= new TimerList();
    }

    /// <summary>What stands in it, in no order: armed or not any more.</summary>
    internal IEnumerable<DeferredItem> Items
    {
        get
        {
            foreach (TimerList? slot in _slots)
            {
                for (DeferredItem? item = slot?.Timer.Next; item is not null && !ReferenceEquals(item, slot); item = item.Timer.Next)
                    yield return item;
            }
        }
    }

    /// <summary>Forgets everything.</summary>
    internal void Clear()
    {
        Array.Clear(_slots);
        _cascading = new TimerList();
    }

    /// <summary>Nothing is due before <paramref name="now"/>: it stands still no longer, so that short delays land in low levels.</summary>
    internal void MoveTo(long now) => _next = Math.Max(_next, Math.Min(now, NextEvent()));

    /// <summary>
    /// Moves to the next tick at which something happens, up to <paramref name="now"/>, and gives what stands there; false when there is none. It may give nothing and
    /// not be done yet (<see cref="IsCascading"/>).
    /// </summary>
    internal bool TryAdvance(long now, TimerList due)
    {
        if (!IsCascading)
        {
            long next = NextEvent();
            if (next > now)
            {
                _next = Math.Max(_next, now);
                return false;
            }

            _next = next;
            _cascaded = 1;
        }

        if (!TryCascade())
            return true;
        _cascaded = 0;
        int slot = (int)(_next & 255);
        _occupied[slot >> 6] &= ~(1UL << (slot & 63));
        if (_slots[slot] is { } list)
            due.TakeAll(list);
        _next++;
        return true;
    }

    private static int Shift(int level) => Level0Bits + ((level - 1) * LevelBits);

    /// <summary>
    /// Puts anew what stands in the slots of the upper levels that begin at <c>_next</c>; what is not armed any more is left out. False when that was enough for once.
    /// From the last to the first, each before what stands there: that was armed later, when its time was nearer. So items of one tick keep the order of arming.
    /// </summary>
    private bool TryCascade()
    {
        for (int count = 0; ; _cascaded++)
        {
            while (_cascading.TakeLast() is { } item)
            {
                if (TimerArming.TryReadSettled(item, out long tick))
                    SlotOf(tick, item).AddFirst(item);
                if (++count == CascadeAtOnce)
                    return false;
            }

            int level = _cascaded;
            if (level == Levels || (_next & ((1L << Shift(level)) - 1)) != 0)
                return true;
            int index = (int)(_next >> Shift(level)) & 63;
            if ((_occupied[3 + level] & (1UL << index)) == 0)
                continue;
            _occupied[3 + level] &= ~(1UL << index);
            if (_slots[256 + ((level - 1) * 64) + index] is { } slot)
                _cascading.TakeAll(slot);
        }
    }

    /// <summary>
    /// The first tick at or after <c>_next</c> at which something happens: an item is due, or a slot above is to cascade.
    /// Emptied slots whose bit is still set are found and forgotten here.
    /// </summary>
    internal long NextEvent()
    {
        if (IsCascading)
            return _next;
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
}
