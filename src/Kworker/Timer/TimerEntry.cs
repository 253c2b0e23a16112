namespace Kworker;

/// <summary>What the timers keep in each item that can be armed.</summary>
internal struct TimerEntry
{
    // Links of the wheel. Lock: the timer base's.
    internal DeferredItem? Next;
    internal DeferredItem? Previous;

    /// <summary>When it is due, as <see cref="TimerExpiry"/> writes it. Written by who armed it; see <see cref="TimerArming"/>.</summary>
    internal long Expires;
}

/// <summary>An item that has nothing but a time.</summary>
internal abstract class TimedItem : DeferredItem
{
    private TimerEntry _timer;

    internal sealed override ref TimerEntry Timer => ref _timer;
}

/// <summary>A list of items by the links that they have for the wheel; circular. Lock: the timer base's.</summary>
internal sealed class TimerList : TimedItem
{
    internal TimerList()
    {
        ref TimerEntry head = ref Timer;
        head.Next = this;
        head.Previous = this;
    }

    internal bool IsEmpty => ReferenceEquals(Timer.Next, this);

    internal void AddLast(DeferredItem item) => InsertBefore(this, item);

    internal void AddFirst(DeferredItem item) => InsertBefore(Timer.Next!, item);

    internal DeferredItem? TakeFirst() => Take(Timer.Next!);

    internal DeferredItem? TakeLast() => Take(Timer.Previous!);

    private DeferredItem? Take(DeferredItem item)
    {
        if (ReferenceEquals(item, this))
            return null;
        Unlink(ref item.Timer);
        return item;
    }

    private static void InsertBefore(DeferredItem next, DeferredItem item)
    {
        ref TimerEntry entry = ref item.Timer;
        DeferredItem previous = next.Timer.Previous!;
        entry.Previous = previous;
        entry.Next = next;
        previous.Timer.Next = item;
        next.Timer.Previous = item;
    }

    /// <summary>Moves all items of <paramref name="other"/> to the end of this list, in their order.</summary>
    internal void TakeAll(TimerList other)
    {
        if (other.IsEmpty)
            return;
        ref TimerEntry head = ref Timer;
        ref TimerEntry from = ref other.Timer;
        DeferredItem first = from.Next!, last = from.Previous!;
        first.Timer.Previous = head.Previous;
        head.Previous!.Timer.Next = first;
        last.Timer.Next = this;
        head.Previous = last;
        from.Next = other;
        from.Previous = other;
    }

    /// <summary>Takes an item out of whatever list it stands in, if any.</summary>
    internal static void Unlink(ref TimerEntry entry)
    {
        if (entry.Next is not { } next)
            return;
        DeferredItem previous = entry.Previous!;
        next.Timer.Previous = previous;
        previous.Timer.Next = next;
        entry.Next = null;
        entry.Previous = null;
    }
}
