using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// What is told at each point, once <see cref="Listeners"/> has said that somebody listens (or, for what is rare, always). Out of line, so that a hot path carries a
/// comparison and a call and nothing more. No member throws, blocks, or takes a lock of the library.
/// </summary>
internal static class TracePoints
{
    private static KworkerEventSource Log => KworkerEventSource.Log;

    /// <summary>By the owner of Pending, before the item goes anywhere: so it is told before the item begins.</summary>
    /// <param name="work">The item.</param>
    /// <param name="queue">Its queue.</param>
    /// <param name="isDue">Its time has come: what queued it was told when it was armed.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Queued(Work work, Workqueue queue, bool isDue)
    {
        if (Listeners.Stacks)
            Origins.Note(work);
        if (WorkActivities.AreListenedTo && !isDue)
            WorkActivities.Queued(work);
        if (Listeners.Latencies)
            QueueLatencies.Queued(work, queue);
        if (Listeners.Workqueue && IsHeard(KworkerEventSource.Keywords.Workqueue))
            Log.workqueue_queue_work(Identity(work), work.FunctionName, queue.Name);
    }

    /// <summary>Told after the run lock, so perhaps after the item has begun.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Activated(Work work)
    {
        if (IsHeard(KworkerEventSource.Keywords.Workqueue))
            Log.workqueue_activate_work(Identity(work));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Activity? Begun(Work work, Workqueue queue)
    {
        if (Listeners.Workqueue && IsHeard(KworkerEventSource.Keywords.Workqueue))
            Log.workqueue_execute_start(Identity(work), work.FunctionName);
        if (Listeners.Latencies)
            QueueLatencies.Begun(work, queue);
        return WorkActivities.AreListenedTo ? WorkActivities.Begin(work, queue) : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Ended(Work work, Workqueue queue, Activity? activity, Exception? failure)
    {
        if (Listeners.Latencies)
            QueueLatencies.Ended(work, queue);
        if (Listeners.Workqueue && IsHeard(KworkerEventSource.Keywords.Workqueue))
            Log.workqueue_execute_end(Identity(work), work.FunctionName);
        if (activity is not null)
            WorkActivities.End(activity, failure);
    }

    internal static void Failed(Workqueue queue, Work work, Exception exception)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.workqueue_exception(queue.Name, work.FunctionName, exception.ToString());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void TimerStarted(DeferredItem timer, long now, TimeSpan delay)
    {
        long timeout = (long)Math.Ceiling(delay.TotalMilliseconds);
        if (IsHeard(KworkerEventSource.Keywords.Timer))
            Log.timer_start(Identity(timer), FunctionOf(timer), now + timeout, timeout);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void TimerExpired(DeferredItem timer, long now)
    {
        if (IsHeard(KworkerEventSource.Keywords.Timer))
            Log.timer_expire_entry(Identity(timer), FunctionOf(timer), now);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void TimerCancelled(DeferredItem timer)
    {
        if (IsHeard(KworkerEventSource.Keywords.Timer))
            Log.timer_cancel(Identity(timer));
    }

    internal static void KthreadStarted(Kthread kthread)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_start(kthread.Name);
    }

    internal static void KthreadStopping(Kthread kthread)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_stop(kthread.Name);
    }

    internal static void KthreadEnded(Kthread kthread, int result)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_stop_ret(kthread.Name, result);
    }

    internal static void KthreadFailed(Kthread kthread, Exception exception)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.kthread_exception(kthread.Name, exception.ToString());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void KthreadWorkQueued(KthreadWork work, KthreadWorker worker)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_work_queue_work(Identity(work), work.FunctionName, worker.Name);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void KthreadWorkBegun(KthreadWork work)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_work_execute_start(Identity(work), work.FunctionName);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void KthreadWorkEnded(KthreadWork work)
    {
        if (IsHeard(KworkerEventSource.Keywords.Kthread))
            Log.sched_kthread_work_execute_end(Identity(work), work.FunctionName);
    }

    internal static void KthreadWorkFailed(KthreadWorker worker, KthreadWork? work, Exception exception)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.kthread_work_exception(worker.Name, work?.FunctionName ?? "a flush", exception.ToString());
    }

    internal static void HelperExecuted(string path, int pid, int error)
    {
        if (IsHeard(KworkerEventSource.Keywords.Helper))
            Log.helper_exec(path, pid, error);
    }

    internal static void HelperEnded(int pid, int status)
    {
        if (IsHeard(KworkerEventSource.Keywords.Helper))
            Log.helper_exit(pid, status);
    }

    internal static void CapReached(string pool, int workers)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.pool_cap_reached(pool, workers);
    }

    internal static void ThreadFailed(string pool, Exception exception)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.pool_thread_failed(pool, exception.Message);
    }

    internal static void Rescued(string queue)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.workqueue_rescue(queue);
    }

    internal static void DeadlockReported(DeadlockException report)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.deadlock_reported(report.Message);
    }

    internal static void Stalled(WatchdogEventArgs report)
    {
        if (IsHeard(KworkerEventSource.Keywords.Health))
            Log.watchdog(report.Kind.ToString(), report.Subject, report.Function ?? "", report.Queue ?? "", report.Duration.TotalSeconds);
    }

    /// <summary>What stands for an object's address in events and dumps: stays with the object, and is the same in all events of it.</summary>
    internal static long Identity(object item) => RuntimeHelpers.GetHashCode(item);

    private static string FunctionOf(DeferredItem timer) => timer switch
    {
        Work work => work.FunctionName,
        KthreadWork work => work.FunctionName,
        _ => timer.GetType().Name,
    };

    /// <summary>Whether anybody hears it. If not, the flags are looked at anew: the last listener may have gone.</summary>
    private static bool IsHeard(EventKeywords keyword)
    {
        if (Log.IsEnabled(EventLevel.Error, keyword))
            return true;
        if (!Log.IsEnabled())
            Listeners.Refresh(Log);
        return false;
    }
}
