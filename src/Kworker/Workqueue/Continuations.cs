namespace Kworker;

/// <summary>
/// What a worker runs next that follows awaits: made ready to go on by what it ran itself, or taken from its pool's list. It goes on without the run lock, on warm
/// caches, and nobody is woken for it.
/// <para>
/// Who takes an item out of its slot, by an exchange, has it: the worker, or whoever holds the run lock, because the worker blocks, or because another has nothing to
/// do. Nothing else is known of it that would have to agree, and so a slot may be used again at once.
/// </para>
/// Marked R: run lock. Marked O: the owning worker's own.
/// </summary>
internal sealed class Continuations(WorkerPool pool)
{
    /// <summary>After so many, others have their turn.</summary>
    internal const int Size = 16;

    private readonly Slot[] _slots = new Slot[Size];

    /// <summary>Written by the owner, who alone adds, after the slot: slots before this one have been filled.</summary>
    private int _count;

    /// <summary>Written by the owner: slots before this one are empty again.</summary>
    private int _taken;

    /// <summary>R: what its worker had begun when somebody who wanted to steal the only one last looked.</summary>
    private int _stepsAtLook;

    /// <summary>O: none is left; others may have taken them.</summary>
    internal bool IsEmpty => _count == 0;

    /// <summary>O.</summary>
    internal bool HasRoom => _count < Size;

    /// <summary>R: some have not been begun. A look: the owner takes and adds without the lock.</summary>
    internal bool HasWaiting => Waiting != 0;

    private int Waiting
    {
        get
        {
            int waiting = 0;
            for (int index = Seam.Read(in _taken), count = Seam.Read(in _count); index < count; index++)
                waiting += Seam.Read(in _slots[index].Item) is null ? 0 : 1;
            return waiting;
        }
    }

    /// <summary>O, when there is room.</summary>
    internal void Add(DeferredItem item)
    {
        Seam.Write(ref _slots[_count].Item, item);
        Seam.Write(ref _count, _count + 1);
    }

    /// <summary>O: the next; null when none is left, and then there is room for all again. A full fence when it is not null.</summary>
    internal DeferredItem? TryTake()
    {
        while (_taken < _count)
        {
            DeferredItem? item = Seam.Exchange(ref _slots[_taken].Item, null);
            Seam.Write(ref _taken, _taken + 1);
            if (item is not null)
                return item;
        }

        Seam.Write(ref _count, 0);
        Seam.Write(ref _taken, 0);
        return null;
    }

    /// <summary>
    /// R: gives the later half to who finds nothing to do. The only one the owner keeps, if it goes on (<paramref name="steps"/> counts what it has begun): it has
    /// begun it before anybody else could; <paramref name="isAlone"/> says that there is such a one, and to ask again.
    /// </summary>
    internal bool TrySteal(int steps, ref bool isAlone)
    {
        int waiting = Waiting;
        if (waiting == 1 && pool.System.Monitor is not null && steps != _stepsAtLook)
        {
            _stepsAtLook = steps;
            isAlone = true;
            return false;
        }

        return waiting > 0 && Return(half: true);
    }

    /// <summary>R: puts back to the front of the pool's list, in its order, what has not been begun, or the later half of it; true when there was any.</summary>
    internal bool Return(bool half)
    {
        int left = Waiting;
        if (half)
            left = (left + 1) / 2;
        bool any = false;
        for (int index = Seam.Read(in _count) - 1; index >= 0 && left > 0; index--)
        {
            if (Seam.Read(in _slots[index].Item) is null || Seam.Exchange(ref _slots[index].Item, null) is not { } item)
                continue;
            left--;
            pool.AddFirst(item);
            any = true;
        }

        return any;
    }

    /// <summary>A struct, so that to put an item there asks nothing about types.</summary>
    private struct Slot
    {
        /// <summary>Null → item by the owner; item → null by who takes it.</summary>
        internal DeferredItem? Item;
    }
}
