namespace Kworker;

/// <summary>Where an item stands in a <see cref="LinkedStack{T, TRole}"/>: a field of it, for each stack that it can be in at once.</summary>
internal struct StackLinks<T>
    where T : class
{
    internal T? Next;
    internal T? Previous;
}

/// <summary>Names the field of an item that links it: one for each kind of stack.</summary>
internal interface IStackRole<T>
    where T : class
{
    static abstract ref StackLinks<T> LinksOf(T item);
}

/// <summary>
/// Items linked through fields of their own, the last to come first: to enter and to leave is O(1) and allocates nothing. Guarded by a lock of its owner.
/// </summary>
internal struct LinkedStack<T, TRole>
    where T : class
    where TRole : struct, IStackRole<T>
{
    internal T? First;

    internal static T? After(T item) => TRole.LinksOf(item).Next;

    internal void Add(T item)
    {
        ref StackLinks<T> links = ref TRole.LinksOf(item);
        links.Previous = null;
        links.Next = First;
        if (First is not null)
            TRole.LinksOf(First).Previous = item;
        First = item;
    }

    internal void Remove(T item)
    {
        ref StackLinks<T> links = ref TRole.LinksOf(item);
        if (links.Previous is null)
            First = links.Next;
        else
            TRole.LinksOf(links.Previous).Next = links.Next;
        if (links.Next is not null)
            TRole.LinksOf(links.Next).Previous = links.Previous;
        links = default;
    }
}
