using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// Since when items wait or run, while somebody measures latencies (<see cref="Listeners.Latencies"/>). Beside the items, which pay nothing for it: in a table of fixed
/// size, one place for each value of a hash. An item whose place is another's is not measured, so with more items under way than there are places it becomes a sample.
/// </summary>
/// <remarks>
/// A place is taken by compare-and-swap of its item, and its times are then written by who queues, begins or ends that item; those three follow each other, but an
/// item may be queued again while it ends. What is lost or mixed up by that race is one measurement, and nothing else is decided by it.
/// </remarks>
internal static class LatencyTable
{
    private const int Places = 1024; // a power of two
    private static readonly TimeSpan s_mostForRun = TimeSpan.FromMinutes(1);

    private static Place[]? s_places; // made by the first measurement; it keeps at most so many items alive, and none after the last has ended

    internal static IDisposable Measure()
    {
        if (Volatile.Read(ref s_places) is null)
            Interlocked.CompareExchange(ref s_places, new Place[Places], null);
        Listeners.CountMeasurement(1);
        return new Measurement();
    }

    /// <summary>By the owner of Pending.</summary>
    internal static void Queued(Work work, Workqueue queue)
    {
        TimeProvider time = queue.OwningSystem.TimeProvider;
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

        Volatile.Write(ref place.QueuedAt, time.GetTimestamp());
    }

    internal static void Begun(Work work, Workqueue queue)
    {
        ref Place place = ref PlaceOf(work);
        if (!ReferenceEquals(Volatile.Read(ref place.Item), work))
            return;
        TimeProvider time = queue.OwningSystem.TimeProvider;
        long now = time.GetTimestamp();
        long queued = Volatile.Read(ref place.QueuedAt);
        Volatile.Write(ref place.QueuedAt, 0);
        Volatile.Write(ref place.BegunAt, now);
        if (queued != 0)
            queue.LatenciesToFill.Waited.Add(time.GetElapsedTime(queued, now));
    }

    internal static void Ended(Work work, Workqueue queue)
    {
        ref Place place = ref PlaceOf(work);
        if (!ReferenceEquals(Volatile.Read(ref place.Item), work))
            return;
        long begun = Volatile.Read(ref place.BegunAt);
        Volatile.Write(ref place.BegunAt, 0);
        if (begun == 0)
            return;
        queue.LatenciesToFill.Ran.Add(queue.OwningSystem.TimeProvider.GetElapsedTime(begun));
        if (Volatile.Read(ref place.QueuedAt) == 0)
            Interlocked.CompareExchange(ref place.Item, null, work);
    }

    /// <summary>Whether only one of two items can be measured at a time: for tests.</summary>
    internal static bool SharePlace(Work one, Work other) => Index(one) == Index(other);

    /// <summary>The holder of a place still needs it: neither was it cancelled, nor did its end go by while nobody measured.</summary>
    private static bool IsUnderWay(Work holder, ref Place place, TimeProvider time)
    {
        long begun = Volatile.Read(ref place.BegunAt);
        return begun == 0 ? holder.IsPending : time.GetElapsedTime(begun) < s_mostForRun;
    }

    private static ref Place PlaceOf(Work work) => ref s_places![Index(work)];

    private static int Index(Work work) => RuntimeHelpers.GetHashCode(work) & (Places - 1);

    private struct Place
    {
        internal Work? Item;
        internal long QueuedAt; // 0: it is not queued, or that was not seen
        internal long BegunAt; // 0: it does not run
    }

    private sealed class Measurement : IDisposable
    {
        private int _isOver; // 0 → 1 once

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isOver, 1) != 0)
                return;
            if (Listeners.CountMeasurement(-1))
                Array.Clear(s_places!);
        }
    }
}
