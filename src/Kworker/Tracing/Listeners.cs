using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// Who listens, in one static byte a kind: what a hot path looks at before it tells anything. There is no static constructor, so that the look is one
/// comparison with memory; what follows it is out of line, in <see cref="TracePoints"/>.
/// </summary>
internal static class Listeners
{
    /// <summary>Of no keyword: a listener to everything hears it, one that named its keywords does not.</summary>
    private const EventKeywords Everything = (EventKeywords)(1L << 40);

    // Written by Refresh, read without order: while a listener comes or goes an event may be missed.

    /// <summary>Somebody may listen to the events of items.</summary>
    internal static bool Workqueue;

    /// <summary><see cref="Workqueue"/>, <see cref="Stacks"/> or <see cref="Latencies"/>.</summary>
    private static bool s_queueing;

    /// <summary><see cref="Workqueue"/> or <see cref="Latencies"/>.</summary>
    private static bool s_runs;

    /// <summary>Somebody measures how long items wait and run.</summary>
    internal static bool Latencies;

    /// <summary>Asked where an item is queued.</summary>
    internal static bool OfQueueing
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_queueing || WorkActivities.AreListenedTo;
    }

    /// <summary>Asked where an item begins.</summary>
    internal static bool OfRuns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_runs || WorkActivities.AreListenedTo;
    }

    /// <summary>Asked where an item ends that had no activity.</summary>
    internal static bool OfEnds => s_runs;

    /// <summary>Somebody may listen to the events of timers.</summary>
    internal static bool Timer;

    /// <summary>Somebody may listen to the events of kthreads and their workers.</summary>
    internal static bool Kthread;

    /// <summary>Somebody may listen to the events of helpers.</summary>
    internal static bool Helper;

    /// <summary>Where items are queued and where waits begin is kept, for reports of deadlocks and stalls.</summary>
    internal static bool Stacks;

    private static bool s_stacksAreAskedFor;
    private static int s_systemsWithStacks;
    private static int s_measurements;

    /// <summary>Makes the event source, so that tools find it before anything is told.</summary>
    internal static void EnsureCreated() => RuntimeHelpers.RunClassConstructor(typeof(KworkerEventSource).TypeHandle);

    /// <summary>
    /// By the source when a listener comes or changes what it asks for. When the last one goes the source says so too early to be asked: then the next event that
    /// finds nobody comes here.
    /// </summary>
    internal static void Refresh(EventSource source)
    {
        Workqueue = IsOn(KworkerEventSource.Keywords.Workqueue);
        Timer = IsOn(KworkerEventSource.Keywords.Timer);
        Kthread = IsOn(KworkerEventSource.Keywords.Kthread);
        Helper = IsOn(KworkerEventSource.Keywords.Helper);
        // Stacks cost more than all the rest: they must be asked for by name.
        s_stacksAreAskedFor = IsOn(KworkerEventSource.Keywords.Stacks) && !IsOn(Everything);
        RefreshStacks();

        bool IsOn(EventKeywords keyword) => source.IsEnabled(EventLevel.Informational, keyword);
    }

    /// <summary>A system that records stacks by its options is made, or ends.</summary>
    internal static void CountSystemWithStacks(int change)
    {
        Interlocked.Add(ref s_systemsWithStacks, change);
        RefreshStacks();
    }

    /// <summary>Somebody begins to measure latencies, or ends; true when nobody does any more.</summary>
    internal static bool CountMeasurement(int change)
    {
        bool isLast = Interlocked.Add(ref s_measurements, change) == 0;
        RefreshStacks();
        return isLast;
    }

    private static void RefreshStacks()
    {
        Stacks = s_stacksAreAskedFor || Volatile.Read(ref s_systemsWithStacks) > 0;
        Latencies = Volatile.Read(ref s_measurements) > 0;
        s_runs = Workqueue || Latencies;
        s_queueing = s_runs || Stacks;
    }
}
