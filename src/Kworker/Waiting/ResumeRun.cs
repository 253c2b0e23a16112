using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// Async methods that one call woke and that go on on the .NET thread pool: not each of them is queued there, and each processor takes a block of
/// them for its own, in the order in which they were woken. The first blocks are on their way while the later are still being claimed.
/// <para>
/// None of them may wait for another to come back from what it does, however long that takes. So what is left of a block stays where all may take from
/// it (<see cref="Cursor"/>), and while anything is left this stands in the pool's queue: where all that have begun are held up, the pool
/// begins what is in its queue, as it would begin each of the methods. A run is over after some of them, so that others in the queue have their turn.
/// </para>
/// </summary>
/// <remarks>
/// Invariant: while a block is published or a cursor is not empty, <see cref="_queued"/> is 1, or somebody is about to set it who takes nothing before he has.
/// Whoever makes something takeable (publishes, fills a cursor) looks at <see cref="_queued"/> after a fence; whom the pool begins sets it to 0, then after a
/// fence looks for what can be taken: one of the two sees the other's, and queues.
/// </remarks>
internal sealed class ResumeRun : IThreadPoolWorkItem
{
    private const int MostInOne = 256;

    /// <summary>
    /// The first of the next block; blocks are linked by <c>Previous</c> of their first, which has no other use while it is claimed. It only goes forward, by
    /// compare-and-swap, and none comes back into this list: so when it is what it was, its link is what was read. Not past the last one until
    /// <see cref="_isClosed"/>, for that is where the next is linked.
    /// </summary>
    private Waiter? _nextBlock;

    private int _isClosed; // 0, then 1: no more blocks come. By who wakes
    private int _queued; // 1: in the pool's queue
    private Cursor? _cursors; // only grows, by compare-and-swap

    internal ResumeRun(Waiter firstBlock) => _nextBlock = firstBlock;

    /// <summary>A block is claimed and linked, and another one behind it: it may go. By who wakes; what he claims further he may add behind.</summary>
    internal void Publish(Waiter last, Waiter next)
    {
        Seam.Write(ref last.Previous, next);
        EnsureQueued();
    }

    /// <summary>The last block is claimed and linked, too.</summary>
    internal void Close()
    {
        Seam.Write(ref _isClosed, 1);
        EnsureQueued();
    }

    void IThreadPoolWorkItem.Execute()
    {
        Seam.Exchange(ref _queued, 0);
        if (!HasAny())
            return;
        EnsureQueued();
        Cursor cursor = Own();
        ExecutionContext? executionContext = ExecutionContext.Capture();
        for (int i = 0; i < MostInOne && (cursor.Take() ?? TakeFromNext(cursor) ?? TakeFromOthers()) is { } waiter; i++)
        {
            // While it runs, what those behind it will touch comes nearer.
            if (Unsafe.As<AsyncWaiter?>(waiter.Previous) is { } ahead)
            {
                waiter.Previous = null;
                ahead.Prefetch();
            }

            if (Unsafe.As<AsyncWaiter?>(Seam.Read(in cursor.Waiter)?.NextToResume) is { } second)
                second.PrefetchState();
            waiter.Run();
            // What it left on the thread is not the next one's.
            if (executionContext is not null && !ReferenceEquals(ExecutionContext.Capture(), executionContext))
                ExecutionContext.Restore(executionContext);
            if (SynchronizationContext.Current is not null)
                SynchronizationContext.SetSynchronizationContext(null);
        }

        Seam.Write(ref cursor.IsOwned, 0);
    }

    private void EnsureQueued()
    {
        Seam.Fence();
        if (Seam.Read(in _queued) == 0 && Seam.CompareExchange(ref _queued, 1, 0) == 0)
            Seam.QueueToCaller(this, preferLocal: false);
    }

    private bool HasAny()
    {
        if (NextBlock(out _) is not null)
            return true;
        for (Cursor? cursor = Seam.Read(in _cursors); cursor is not null; cursor = cursor.Next)
        {
            if (Seam.Read(in cursor.Waiter) is not null)
                return true;
        }

        return false;
    }

    /// <summary>The first of the next block that may be taken, and what follows it.</summary>
    private Waiter? NextBlock(out Waiter? behind)
    {
        while (true)
        {
            Waiter? first = Seam.Read(in _nextBlock);
            behind = null;
            if (first is null)
                return null;
            bool isClosed = Seam.Read(in _isClosed) != 0; // before the link: with it set, the link stays what it is
            behind = Seam.Read(in first.Previous);
            if (behind is not null || isClosed)
                return first;
            if (ReferenceEquals(Seam.Read(in _nextBlock), first))
                return null; // the next is not published yet; else the link was of another time
        }
    }

    private AsyncWaiter? TakeFromNext(Cursor cursor)
    {
        while (NextBlock(out Waiter? behind) is { } first)
        {
            if (!ReferenceEquals(Seam.CompareExchange(ref _nextBlock, behind, first), first))
                continue;
            first.Previous = null;
            Waiter? rest = first.NextToResume;
            first.NextToResume = null;
            if (rest is not null)
            {
                Seam.Write(ref cursor.Waiter, rest);
                EnsureQueued();
            }

            return Unsafe.As<AsyncWaiter>(first);
        }

        return null;
    }

    private AsyncWaiter? TakeFromOthers()
    {
        for (Cursor? cursor = Seam.Read(in _cursors); cursor is not null; cursor = cursor.Next)
        {
            if (cursor.Take() is { } waiter)
                return waiter;
        }

        return null;
    }

    private Cursor Own()
    {
        Cursor? head = Seam.Read(in _cursors);
        for (Cursor? cursor = head; cursor is not null; cursor = cursor.Next)
        {
            if (Seam.Read(in cursor.IsOwned) == 0 && Seam.CompareExchange(ref cursor.IsOwned, 1, 0) == 0)
                return cursor;
        }

        var made = new Cursor { IsOwned = 1 };
        while (true)
        {
            made.Next = head;
            Cursor? seen = Seam.CompareExchange(ref _cursors, made, head);
            if (ReferenceEquals(seen, head))
                return made;
            head = seen;
        }
    }

    /// <summary>What is left of a block that somebody has begun. He fills it, when it is empty; all may take from it.</summary>
    private sealed class Cursor
    {
        /// <summary>The next to go on, linked by <c>NextToResume</c>; goes forward as <see cref="_nextBlock"/> does.</summary>
        internal Waiter? Waiter;

        internal Cursor? Next; // constant once in the list
        internal int IsOwned; // 1: somebody fills it when it is empty
#pragma warning disable CS0169 // never used
        private CacheLine _padding; // no two of them in one line
#pragma warning restore CS0169

        internal AsyncWaiter? Take()
        {
            Waiter? first = Seam.Read(in Waiter);
            while (first is not null)
            {
                Waiter? seen = Seam.CompareExchange(ref Waiter, Seam.Read(in first.NextToResume), first);
                if (ReferenceEquals(seen, first))
                {
                    first.NextToResume = null;
                    return Unsafe.As<AsyncWaiter>(first);
                }

                first = seen;
            }

            return null;
        }
    }

    [InlineArray(16)]
    private struct CacheLine
    {
        private long _word;
    }
}
