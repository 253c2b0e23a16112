using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// Since when a queue's items wait or run, while somebody measures latencies (<see cref="Listeners.Latencies"/>). Beside the items, which pay nothing for it: in a table of fixed
/// size, one place for each value of a hash. An item whose place is another's is not measured, so with more items under way than there are places it becomes a sample.
/// </summary>
/// <remarks>
/// A place is taken by compare-and-swap of its item, and its times are then written by who queues, begins or ends that item; those three follow each other, but an
/// item may be queued again while it ends. What is lost or mixed up by that race, or by <see cref="Clear"/>, is one measurement, and nothing else is decided by it.
/// </remarks>
internal sealed class LatencyTable
{
    private const int Places = 128; // a power of two
    private static readonly TimeSpan s_mostForRun = TimeSpan.FromMinutes(1);

    private readonly Place[] _places = new Place[Places]; // keeps so many items alive at most, and none after the last measurement has ended

    /// <summary>By the owner of Pending: the item is about to be put in line.</summary>
    internal void Queued(Work work, TimeProvider time)
    {
        ref Place place = ref PlaceOf(work);
        Work? holder = Volatile.Read(ref place.Item);
        if (!ReferenceEquals(holder, work))
        {
            if (holder is not null && IsUnderWay(holder, ref place, time))
                return;
            if (!ReferenceEquals(Interlocked.CompareExchange(ref place.Item, work, holder), holder))
                return;
            Volatile.Write(ref place.BegunAt, 0);
        }

        Volatile.Write(ref place.QueuedAt, ClockReading.Timestamp(time));
    }

    /// <summary>The item begins; how long it has waited, null when that was not measured.</summary>
    internal TimeSpan? Begun(Work work, TimeProvider time)
    {
        ref Place place = ref PlaceOf(work);
        if (!ReferenceEquals(Volatile.Read(ref place.Item), work))
            return null;
        long now = ClockReading.Timestamp(time);
        long queued = Volatile.Read(ref place.QueuedAt);
        Volatile.Write(ref place.QueuedAt, 0);
        Volatile.Write(ref place.BegunAt, now);
        return queued == 0 ? null : time.GetElapsedTime(queued, now);
    }

    /// <summary>The item has ended; how long it has run, null when that was not measured.</summary>
    internal TimeSpan? Ended(Work work, TimeProvider time)
    {
        ref Place place = ref PlaceOf(work);
        if (!ReferenceEquals(Volatile.Read(ref place.Item), work))
            return null;
        long begun = Volatile.Read(ref place.BegunAt);
        Volatile.Write(ref place.BegunAt, 0);
        if (Volatile.Read(ref place.QueuedAt) == 0)
            Interlocked.CompareExchange(ref place.Item, null, work);
        return begun == 0 ? null : ClockReading.Since(time, begun);
    }

    /// <summary>Nobody measures any more.</summary>
    internal void Clear() => Array.Clear(_places);

    /// <summary>Whether only one of two items can be measured at a time: for tests.</summary>
    internal static bool SharePlace(Work one, Work other) => Index(one) == Index(other);

    /// <summary>The holder of a place still needs it: neither was it cancelled, nor did its end go by while nobody measured.</summary>
    private static bool IsUnderWay(Work holder, ref Place place, TimeProvider time)
    {
        long begun = Volatile.Read(ref place.BegunAt);
        return begun == 0 ? holder.IsPending : ClockReading.Since(time, begun) < s_mostForRun;
    }

    private ref Place PlaceOf(Work work) => ref _places[Index(work)];

    private static int Index(Work work) => RuntimeHelpers.GetHashCode(work) & (Places - 1);

    private struct Place
    {
        internal Work? Item;
        internal long QueuedAt; // 0: it is not queued, or that was not seen
        internal long BegunAt; // 0: it does not run
    }
}
