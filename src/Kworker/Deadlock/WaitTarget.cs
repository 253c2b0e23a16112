namespace Kworker;

/// <summary>
/// What a recorded wait waits for. Says on whom its end depends, as far as that is certain; whatever is not certain counts as coming to an end by itself.
/// All members are called under the lock of <see cref="WaitGraph"/> and take the lock of what they look at, for the look alone.
/// </summary>
internal abstract class WaitTarget
{
    /// <summary>The call and its object, for reports: "Flush of …".</summary>
    internal abstract string Description { get; }

    /// <summary>
    /// The waiters (work items in a recorded wait, kthreads) without which, by what stands now, this would come to an end. A superset is allowed:
    /// <see cref="IsStuck"/> decides.
    /// </summary>
    internal abstract void AddWaiters(WaitGraph.Waiters into);

    /// <summary>Whether it can never come to its end when none of <paramref name="stuck"/> ever goes on.</summary>
    internal abstract bool IsStuck(WaitGraph.Waiters stuck);
}
