namespace Kworker;

/// <summary>
/// A wait was asked for that could never end: an item that waits for itself, or a cycle of items, queues, kthread workers and kthreads that wait for each
/// other. Thrown in the caller that would have closed the cycle, before it waits; all others go on undisturbed. (The kernel's lockdep warns of some of these,
/// and the caller hangs.)
/// </summary>
public sealed class DeadlockException : InvalidOperationException
{
    internal DeadlockException(IReadOnlyList<DeadlockLink> cycle)
        : base(Describe(cycle)) => Cycle = cycle;

    /// <summary>The links, beginning with the caller; each waits for the next, the last for one of those before it, as a rule the first.</summary>
    public IReadOnlyList<DeadlockLink> Cycle { get; }

    private static string Describe(IReadOnlyList<DeadlockLink> cycle) =>
        $"This wait would never end.{string.Concat(cycle.Select(static (link, i) => $"{Environment.NewLine}  {(i == 0 ? "would wait: " : "waits: ")}{link}"))}";
}
