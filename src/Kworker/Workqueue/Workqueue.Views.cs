namespace Kworker;

/// <summary>How existing async code is put on a queue.</summary>
public sealed partial class Workqueue
{
    private TaskScheduler? _taskScheduler; // made when first asked for, once
    private SynchronizationContext? _synchronizationContext; // likewise

    /// <summary>
    /// The queue as a task scheduler: <c>Task.Factory.StartNew(…, queue.TaskScheduler)</c>. Each task is an item, and so is each piece of an async method between two
    /// awaits (but what follows <c>ConfigureAwait(false)</c>): an ordered queue runs them one at a time. While it awaits, an async method is no item, so
    /// neither <see cref="MaxActive"/> nor a flush or drain counts it; an async work function (<see cref="Work{TOwner}"/>) does count.
    /// <para>
    /// What a queue that is drained or has been disposed of refuses goes on all the same, on the workers, as no item of any queue: an async method is never
    /// left in the middle. When its system has been disposed of, it goes on on the thread that lets it.
    /// </para>
    /// </summary>
    public TaskScheduler TaskScheduler
    {
        get
        {
            if (Seam.Read(in _taskScheduler) is { } existing)
                return existing;
            var made = new WorkqueueTaskScheduler(this);
            return Seam.CompareExchange(ref _taskScheduler, made, null) ?? made;
        }
    }

    /// <summary>
    /// The queue as a synchronization context. What is posted is an item, and while it runs the context is the current one, so that what it awaits comes back to the queue.
    /// An exception that leaves what was posted goes to <see cref="UnhandledException"/>; <see cref="SynchronizationContext.Send"/> gives it to its caller. For the rest see
    /// <see cref="TaskScheduler"/>.
    /// </summary>
    public SynchronizationContext SynchronizationContext
    {
        get
        {
            if (Seam.Read(in _synchronizationContext) is { } existing)
                return existing;
            var made = new WorkqueueSynchronizationContext(this);
            return Seam.CompareExchange(ref _synchronizationContext, made, null) ?? made;
        }
    }

    /// <summary>How many items may be at work at once (<see cref="WorkqueueOptions.MaxActive"/>; 1 when ordered).</summary>
    public int MaxActive => _maxActive;

    /// <summary>The caller is an item of it.</summary>
    internal bool IsCurrent => ReferenceEquals(PoolWorker.Current?.CurrentQueue, this);

    /// <summary>For its views: as an item, or, if it takes none, as what belongs to no queue.</summary>
    internal void QueuePiece(QueuedPiece piece)
    {
        Work work = piece.ToWork();
        work.TryTakePending();
        work.BindTo(OwningSystem);
        if (TryEnqueue(work))
            return;
        if (OwningSystem.HasEnded)
            piece.Run();
        else
            _pool.GoOn(piece.ToContinuation());
    }
}
