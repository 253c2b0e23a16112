namespace Kworker;

/// <summary>The bits of <see cref="DeferredItem.State"/>: one word, so that one compare-and-swap takes an item from one state to another.</summary>
internal static class ItemState
{
    /// <summary>Queued, or its time runs, or somebody is about to put it there: who sets it owns the item until a worker begins it.</summary>
    internal const long Pending = 1;

    /// <summary>A worker executes it, or its async run awaits.</summary>
    internal const long Running = 2;

    /// <summary>A cancel-sync waits for its run to end; it owns Pending meanwhile.</summary>
    internal const long Canceling = 4;
}
