using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// The execution contexts that items of queues which want them (<see cref="WorkqueueOptions.FlowExecutionContext"/>) are to run in. Beside the items: those of other queues pay
/// nothing for it. An item keeps its place from the first such queueing on, so that the next ones allocate nothing.
/// </summary>
internal static class WorkContexts
{
    private static readonly ConditionalWeakTable<Work, Place> s_places = [];

    /// <summary>
    /// By the owner of Pending, before the item goes anywhere. One that is refused or taken back afterwards leaves it there, for nobody: it is queued anew before it runs.
    /// </summary>
    internal static void Capture(Work work) => s_places.GetValue(work, static _ => new Place()).Context = ExecutionContext.Capture();

    /// <summary>
    /// By the worker that is about to begin the item, while it is still pending: as soon as it is not, it may be queued and captured for anew. Null where nothing is to flow.
    /// </summary>
    internal static ExecutionContext? Take(Work work)
    {
        if (!s_places.TryGetValue(work, out Place? place))
            return null;
        ExecutionContext? context = place.Context;
        place.Context = null;
        return context;
    }

    private sealed class Place
    {
        /// <summary>Written by the owner of Pending, and by the worker that takes the item over from him.</summary>
        internal ExecutionContext? Context;
    }
}
