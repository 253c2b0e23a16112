namespace Kworker;

/// <summary>The head of a list of items.</summary>
internal sealed class ItemList : DeferredItem
{
    internal ItemList()
    {
        Next = this;
        Previous = this;
    }

    internal bool IsEmpty => ReferenceEquals(Next, this);

    internal DeferredItem? First => IsEmpty ? null : Next;

    internal void AddLast(DeferredItem item) => InsertBefore(item);

    internal void AddFirst(DeferredItem item) => Next!.InsertBefore(item);

    internal DeferredItem? TakeFirst()
    {
        DeferredItem? first = First;
        first?.Unlink();
        return first;
    }

    /// <summary>Moves all items of <paramref name="other"/> to the end of this list, in their order.</summary>
    internal void TakeAll(ItemList other)
    {
        if (other.IsEmpty)
            return;
        DeferredItem first = other.Next!, last = other.Previous!;
        first.Previous = Previous;
        Previous!.Next = first;
        last.Next = this;
        Previous = last;
        other.Next = other;
        other.Previous = other;
    }

    /// <summary>Moves <paramref name="item"/>, wherever it stands, and the barriers tied to it to the end of this list.</summary>
    internal void TakeTied(DeferredItem item)
    {
        while (true)
        {
            DeferredItem next = item.Next!;
            bool tied = item.IsTied;
            item.Unlink();
            AddLast(item);
            if (!tied)
                return;
            item = next;
        }
    }
}
