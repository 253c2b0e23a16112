namespace Kworker.Hosting;

/// <summary>Items in order, linked through themselves: any of them leaves without a search, and none costs an allocation. Lock: the queue's.</summary>
internal sealed class BackgroundLine
{
    private BackgroundItem? _first;
    private BackgroundItem? _last;

    internal bool IsEmpty => _first is null;

    internal void AddLast(BackgroundItem item)
    {
        item.Line = this;
        item.Previous = _last;
        if (_last is null)
            _first = item;
        else
            _last.Next = item;
        _last = item;
    }

    internal BackgroundItem? RemoveFirst()
    {
        BackgroundItem? first = _first;
        if (first is not null)
            Remove(first);
        return first;
    }

    /// <summary>False when it does not stand in this line.</summary>
    internal bool Remove(BackgroundItem item)
    {
        if (!ReferenceEquals(item.Line, this))
            return false;
        if (item.Previous is { } previous)
            previous.Next = item.Next;
        else
            _first = item.Next;
        if (item.Next is { } next)
            next.Previous = item.Previous;
        else
            _last = item.Previous;
        item.Line = null;
        item.Previous = item.Next = null;
        return true;
    }
}
