using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// The activity source named "Kworker": one activity for each run of a work item while somebody listens, whose parent is the activity that was current where the
/// item was queued. (The execution context does not flow into work, so nothing else would tell.)
/// </summary>
internal static class WorkActivities
{
    private static readonly ActivitySource s_source = new(TraceNames.Source);

    /// <summary>The activities that queued items which have not begun. Beside the items: those pay nothing for it.</summary>
    private static readonly ConditionalWeakTable<Work, ParentContext> s_parents = [];

    internal static bool AreListenedTo
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_source.HasListeners();
    }

    /// <summary>An item is being queued, or armed: by the owner of Pending.</summary>
    internal static void Queued(Work work)
    {
        if (Activity.Current is { } current)
            s_parents.AddOrUpdate(work, new ParentContext(current.Context));
        else
            s_parents.Remove(work);
    }

    internal static Activity? Begin(Work work, Workqueue queue)
    {
        ActivityContext parent = default;
        if (s_parents.TryGetValue(work, out ParentContext? found))
        {
            parent = found.Context;
            s_parents.Remove(work);
        }

        string function = work.FunctionName;
        Activity? activity = s_source.StartActivity(function, ActivityKind.Consumer, parent);
        activity?.SetTag("kworker.workqueue", queue.Name).SetTag("kworker.function", function);
        return activity;
    }

    internal static void End(Activity activity, Exception? failure)
    {
        if (failure is not null)
            activity.SetStatus(ActivityStatusCode.Error, failure.Message).SetTag("error.type", failure.GetType().FullName);
        activity.Dispose();
    }

    private sealed class ParentContext(ActivityContext context)
    {
        internal ActivityContext Context => context;
    }
}
