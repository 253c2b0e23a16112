using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>
/// Where items are put for a pool without a lock: a ring. Pushers take the next place by compare-and-swap and then put the item there; who holds the run lock takes
/// the items out in this order, one or all. An array and not a stack linked through the items: who takes a few need not touch those behind them, and what stands in an
/// array the processor fetches ahead.
/// <para>
/// A place that has been taken holds an item a few instructions later. When all places are taken the pusher goes by the run lock, and replaces the ring by a larger one.
/// </para>
/// </summary>
internal struct Inbox
{
    private const int FirstLength = 64;
    private const int Growth = 8;
    private const int MostLength = 1 << 15;

    /// <summary>Written under the run lock.</summary>
    private Ring _ring;

    public Inbox()
        : this(FirstLength)
    {
    }

    /// <param name="length">A power of two.</param>
    internal Inbox(int length) => _ring = new Ring(length);

    internal readonly bool IsEmpty => _ring.Count == 0;

    /// <summary>Places that have been taken. By who holds the run lock; for others a look.</summary>
    internal readonly int Count => _ring.Count;

    /// <summary>By the item's owner, whose it is no more afterwards. A full fence, after which it is not empty. False when all places are taken.</summary>
    internal readonly bool TryPush(DeferredItem item)
    {
        var spin = new SpinWait();
        while (true)
        {
            PushOutcome outcome = Seam.Read(in _ring).TryPush(item);
            if (outcome != PushOutcome.Closed)
                return outcome == PushOutcome.Pushed;
            Seam.Spin(ref spin); // who closed it is about to put another in its place
        }
    }

    /// <summary>Without the lock: a ring to replace a full one by; null when it is as large as it may be.</summary>
    internal readonly Ring? MakeLarger() => _ring.Length < MostLength ? new Ring(_ring.Length * Growth) : null;

    /// <summary>Run lock: from here pushers use <paramref name="larger"/>. What the one before holds is the caller's to take out.</summary>
    internal Rest Replace(Ring? larger)
    {
        Ring before = _ring;
        if (larger is not null && larger.Length > before.Length) // or another pusher has made more room meanwhile
        {
            before.Close();
            Seam.Write(ref _ring, larger);
        }

        return new Rest(before);
    }

    /// <summary>Run lock: what has been pushed until now.</summary>
    internal readonly Rest TakeAll() => new(_ring);

    /// <summary>Run lock: the first; null when it is empty, or when the first is still on its way into its place.</summary>
    internal readonly DeferredItem? TryTake() => _ring.TryTake();

    /// <summary>Run lock: what stands in a ring at some time, to be taken out to the last.</summary>
    internal readonly struct Rest(Ring ring)
    {
        private readonly long _end = ring.Tail;

        internal bool TryTake(out DeferredItem item)
        {
            if (ring.Head == _end)
            {
                item = null!;
                return false;
            }

            var spin = new SpinWait();
            DeferredItem? taken;
            while ((taken = ring.TryTake()) is null)
                Seam.Spin(ref spin); // its pusher is about to put it there
            item = taken;
            return true;
        }
    }

    internal sealed class Ring(int length)
    {
        private const long Closed = long.MinValue;

        private readonly Place[] _places = new Place[length];
        private Ends _ends;

        internal int Length => _places.Length;

        /// <summary>Run lock.</summary>
        internal long Head => _ends.Head;

        internal long Tail => Seam.Read(in _ends.Tail) & ~Closed;

        internal int Count => (int)(Tail - Seam.Read(in _ends.Head));

        internal PushOutcome TryPush(DeferredItem item)
        {
            long tail = Seam.Read(in _ends.Tail);
            while (true)
            {
                if (tail < 0)
                    return PushOutcome.Closed;
                if (tail - Seam.Read(in _ends.HeadSeen) >= _places.Length)
                {
                    long head = Seam.Read(in _ends.Head);
                    if (tail - head >= _places.Length)
                        return PushOutcome.Full;
                    Seam.Write(ref _ends.HeadSeen, head);
                }

                long seen = Seam.CompareExchange(ref _ends.Tail, tail + 1, tail);
                if (seen == tail)
                {
                    Seam.Write(ref _places[(int)tail & (_places.Length - 1)].Item, item);
                    return PushOutcome.Pushed;
                }

                tail = seen;
            }
        }

        internal DeferredItem? TryTake()
        {
            long head = _ends.Head;
            ref Place place = ref _places[(int)head & (_places.Length - 1)];
            DeferredItem? item = Seam.Read(in place.Item);
            if (item is null)
                return null;
            place.Item = null;
            Seam.Write(ref _ends.Head, head + 1);
            return item;
        }

        internal void Close() => Seam.Or(ref _ends.Tail, Closed);
    }

    internal enum PushOutcome
    {
        Pushed,

        /// <summary>All places are taken.</summary>
        Full,

        /// <summary>There is another ring.</summary>
        Closed,
    }

    /// <summary>A struct, so that to put an item there asks nothing about types.</summary>
    private struct Place
    {
        /// <summary>Null → item by the pusher whose place it is, item → null under the run lock.</summary>
        internal DeferredItem? Item;
    }

    /// <summary>Counted through, never wrapping around; on cache lines of their own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 192)]
    private struct Ends
    {
        /// <summary>The next place to be taken; with the sign bit, none is any more.</summary>
        [FieldOffset(64)]
        internal long Tail;

        /// <summary>What <see cref="Head"/> once was: pushers need not look at the line that the workers write. Written by pushers, in any order.</summary>
        [FieldOffset(72)]
        internal long HeadSeen;

        /// <summary>The first place that holds an item, or will. Written under the run lock, when the place before it is free.</summary>
        [FieldOffset(128)]
        internal long Head;
    }
}
