using Kworker.Systematic;

namespace Kworker;

/// <summary>
/// The library's seam in this assembly: each member first lets the scheduler say which thread goes on, then does what the product's does.
/// On a thread that is under no schedule it only does that.
/// </summary>
internal static class Seam
{
    /// <summary>How many of the async methods that one call wakes a thread takes for its own (<see cref="ResumeRun"/>).</summary>
    internal const int MostInResumeBlock = 2;

    internal static int CompareExchange(ref int location, int value, int comparand)
    {
        Schedule.Point(Step.CompareExchange);
        return Interlocked.CompareExchange(ref location, value, comparand);
    }

    internal static int Exchange(ref int location, int value)
    {
        Schedule.Point(Step.Exchange);
        return Interlocked.Exchange(ref location, value);
    }

    internal static T CompareExchange<T>(ref T location, T value, T comparand)
        where T : class?
    {
        Schedule.Point(Step.CompareExchange);
        return Interlocked.CompareExchange(ref location, value, comparand);
    }

    internal static int Or(ref int location, int bits)
    {
        Schedule.Point(Step.Or);
        return Interlocked.Or(ref location, bits);
    }

    internal static int And(ref int location, int bits)
    {
        Schedule.Point(Step.And);
        return Interlocked.And(ref location, bits);
    }

    internal static long CompareExchange(ref long location, long value, long comparand)
    {
        Schedule.Point(Step.CompareExchange);
        return Interlocked.CompareExchange(ref location, value, comparand);
    }

    internal static T Exchange<T>(ref T location, T value)
        where T : class?
    {
        Schedule.Point(Step.Exchange);
        return Interlocked.Exchange(ref location, value);
    }

    internal static long Or(ref long location, long bits)
    {
        Schedule.Point(Step.Or);
        return Interlocked.Or(ref location, bits);
    }

    /// <summary>What this lets go of may be another's at once: so others may go on after it, too, not only before.</summary>
    internal static long And(ref long location, long bits)
    {
        Schedule.Point(Step.And);
        long before = Interlocked.And(ref location, bits);
        Schedule.Point(Step.And);
        return before;
    }

    internal static int Increment(ref int location)
    {
        Schedule.Point(Step.Increment);
        return Interlocked.Increment(ref location);
    }

    internal static int Read(ref readonly int location)
    {
        Schedule.Point(Step.Read);
        return Volatile.Read(in location);
    }

    internal static long Read(ref readonly long location)
    {
        Schedule.Point(Step.Read);
        return Volatile.Read(in location);
    }

    internal static T Read<T>(ref readonly T location)
        where T : class?
    {
        Schedule.Point(Step.Read);
        return Volatile.Read(in location);
    }

    internal static void Write(ref int location, int value)
    {
        Schedule.Point(Step.Write);
        Volatile.Write(ref location, value);
    }

    internal static void Write(ref long location, long value)
    {
        Schedule.Point(Step.Write);
        Volatile.Write(ref location, value);
    }

    internal static void Write<T>(ref T location, T value)
        where T : class?
    {
        Schedule.Point(Step.Write);
        Volatile.Write(ref location, value);
    }

    internal static void Fence() => Schedule.Point(Step.Fence);

    internal static void Start(Thread thread, object? state) => Schedule.Start(thread, state);

    internal static CancellationTokenRegistration OnCancelled(Action<object?> callback, object? state, CancellationToken token) =>
        CancelCallback.Register(callback, state, token);

    internal static void Forget(CancellationTokenRegistration registration) => CancelCallback.Forget(registration);

    internal static void QueueToCaller(IThreadPoolWorkItem item, bool preferLocal = true) => Schedule.RunElsewhere(item);

    internal static void Pause() => Schedule.Point(Step.Spin);

    internal static void Spin(ref SpinWait spin)
    {
        if (!Schedule.Spin())
            spin.SpinOnce(sleep1Threshold: -1);
    }
}
