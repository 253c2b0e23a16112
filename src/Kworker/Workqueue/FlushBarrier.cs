namespace Kworker;

/// <summary>
/// Stands behind an item and goes where it goes; when its turn comes, the run of the item that was flushed is over (<c>struct wq_barrier</c>).
/// It counts for the flush epoch of that item, not for the queue's <c>MaxActive</c>.
/// </summary>
internal sealed class FlushBarrier(Workqueue queue, FlushEpoch epoch) : DeferredItem
{
    internal Workqueue Queue => queue;

    internal FlushEpoch Epoch => epoch;

    internal Completion Done { get; } = new();

    internal override void Execute() => Done.Complete();
}
