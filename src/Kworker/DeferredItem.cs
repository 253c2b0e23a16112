using System.ComponentModel;
using System.Diagnostics;

namespace Kworker;

/// <summary>
/// The base of what can be deferred: an intrusive entry of a list and of the timer wheel, so that queueing and arming allocate nothing.
/// It has no members for users; see <see cref="Work"/>.
/// </summary>
/// <remarks>
/// An item stands in one list at a time, of a queue, a pool or a worker: so one pair of links serves, and the lock that guards the list guards the links. (What
/// can be armed has links of its own for the wheel, where it may stand for a while after it has been disarmed.) Lists are circular with a head of their own (the kernel's
/// <c>list_head</c>): an item can be taken out, and another be put next to it, without knowing which list it stands in.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class DeferredItem
{
    internal DeferredItem? Next;
    internal DeferredItem? Previous;

    /// <summary>What is to be done with it, in one word (<see cref="ItemState"/>). Changed by interlocked operations only.</summary>
    internal long State;

    /// <summary>1: the wheel has not been told of its last arming or disarming yet, but will be. See <see cref="TimerArming"/>.</summary>
    internal int IsUnsettled;

    /// <summary>The count (<see cref="ItemState.CountOf"/>) of its last arming of those that are counted and have landed. See <see cref="TimerArming"/>.</summary>
    internal int Landed;

    /// <summary>The next in its list is a flush barrier that goes wherever this one goes. Lock: the system's run lock.</summary>
    internal bool IsTied;

    /// <summary>What it is: asked at each item, so a look at the object and not at its type.</summary>
    internal readonly ItemKind Kind;

    private protected DeferredItem(ItemKind kind = ItemKind.Other) => Kind = kind;

    internal bool IsLinked => Next is not null;

    /// <summary>The run of an async work function that this is a piece of; null for what belongs to none.</summary>
    internal virtual WorkRun? Run => null;

    /// <summary>What the timers keep of it.</summary>
    internal virtual ref TimerEntry Timer => throw new UnreachableException("It cannot be armed.");

    /// <summary>Its time has come. Called without a lock, on the thread that drives the wheel; must not block or throw.</summary>
    internal virtual void Expire() => throw new UnreachableException("It was never armed.");

    /// <summary>Its turn has come, on a worker, without a lock.</summary>
    internal virtual void Execute() => throw new UnreachableException("It was never queued.");

    /// <summary>Puts <paramref name="item"/> before this one; before a head is at the end of its list.</summary>
    internal void InsertBefore(DeferredItem item)
    {
        Debug.Assert(!item.IsLinked, "an item stands in one list at a time");
        item.Previous = Previous;
        item.Next = this;
        Previous!.Next = item;
        Previous = item;
    }

    /// <summary>Takes this item out of its list.</summary>
    internal void Unlink()
    {
        Next!.Previous = Previous;
        Previous!.Next = Next;
        Next = null;
        Previous = null;
    }
}
