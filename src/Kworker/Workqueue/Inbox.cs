namespace Kworker;

/// <summary>
/// Where items are put for a pool without a lock: a stack that only grows, by compare-and-swap, until somebody takes all of it. (Nothing is ever taken
/// from it singly, so an item that comes back cannot confuse it.) Linked by <see cref="DeferredItem.Next"/>, as a list's items are: an item stands in one place.
/// </summary>
internal struct Inbox
{
    private DeferredItem? _top;

    internal readonly bool IsEmpty => Seam.Read(in _top) is null;

    /// <summary>By the item's owner, whose it is no more afterwards. A full fence.</summary>
    internal void Push(DeferredItem item)
    {
        DeferredItem? top = Seam.Read(in _top);
        while (true)
        {
            item.Next = top;
            DeferredItem? seen = Seam.CompareExchange(ref _top, item, top);
            if (ReferenceEquals(seen, top))
                return;
            top = seen;
        }
    }

    /// <summary>Takes all; the first is the one that was pushed first, the others follow by <see cref="DeferredItem.Next"/>.</summary>
    internal DeferredItem? TakeAll(out int count)
    {
        count = 0;
        DeferredItem? item = Seam.Exchange(ref _top, null);
        DeferredItem? first = null;
        while (item is not null)
        {
            count++;
            DeferredItem? next = item.Next;
            item.Next = first;
            first = item;
            item = next;
        }

        return first;
    }
}
