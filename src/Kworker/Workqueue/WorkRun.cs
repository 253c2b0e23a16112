using System.Diagnostics;

namespace Kworker;

/// <summary>
/// One run of a work item: what it is, where it counts, and what stands behind it. A plain function's run ends on the worker that began it. An async
/// function's run goes on without a worker while it awaits: it is then the synchronization context of what follows, which comes back to the pool, one piece at a
/// time, so that the item never runs concurrently with itself.
/// <para>
/// Pieces posted while it is busy wait in <c>_posted</c>. What the function started and did not wait for may post even when it has ended: such pieces belong
/// to no run, and so one that has been a context is never used for another. All fields are guarded by the run lock but for those marked otherwise.
/// </para>
/// </summary>
[DebuggerDisplay("{Work?.FunctionName,nq}")]
internal sealed class WorkRun(WorkerPool pool) : SynchronizationContext
{
    private readonly ItemList _posted = new();

    /// <summary>Whether anything of it is in the pool.</summary>
    /// <remarks>
    /// <code>
    /// Awaiting → Busy      by who posts a piece, who then brings it to the pool; by compare-and-swap alone
    /// Busy → Awaiting      by the worker that has run the piece; by compare-and-swap alone
    /// Busy → Waited        under the run lock, by who posts another: it waits in _posted
    /// Waited → Busy        under the run lock, by the worker that has run the piece, and brings the last that waited to the pool
    /// Busy, Waited → Ended under the run lock, by the worker that has run the last piece
    /// </code>
    /// </remarks>
    private int _state;

    private const int Awaiting = 0;
    private const int Busy = 1;
    private const int Waited = 2;
    private const int Ended = 3;

    // The worker's that runs a piece of it: written while busy.
    private ValueTask _task;
    private Action? _end;
    private bool _isOver;
    private Exception? _failure;

    /// <summary>Of the queue's async runs in progress. Run lock.</summary>
    private StackLinks<WorkRun> _links;

    internal readonly struct InQueue : IStackRole<WorkRun>
    {
        public static ref StackLinks<WorkRun> LinksOf(WorkRun item) => ref item._links;
    }

    /// <summary>What may run only when this run is over, before anything else: barriers behind it, and the item's next run.</summary>
    internal ItemList Scheduled { get; } = new();

    /// <summary>The pool whose workers run it.</summary>
    internal WorkerPool Pool => pool;

    /// <summary>What runs; null between runs, and when it is over.</summary>
    internal Work? Work { get; private set; }

    /// <summary>The queue that it was queued on. Also read by the run's own code, for which it does not change.</summary>
    internal Workqueue? Queue { get; private set; }

    /// <summary>Tells one run from the next that uses the object.</summary>
    internal long Number { get; private set; }

    /// <summary>What tells of it, if somebody listened when it began. Its workers' own, one after another.</summary>
    internal Activity? Activity { get; set; }

    /// <summary>Its task has ended. The worker's that runs a piece of it.</summary>
    internal bool IsOver => _isOver;

    /// <summary>The flush epoch that it counts for.</summary>
    internal FlushEpoch? Epoch { get; private set; }

    internal void Begin(Work work, Workqueue queue, FlushEpoch epoch)
    {
        Work = work;
        Queue = queue;
        Epoch = epoch;
        Number++;
        Seam.Write(ref _state, Busy);
        if (work.IsAsync)
            queue.AddAsync(this);
    }

    /// <summary>The run is over: the item may run again.</summary>
    internal void End()
    {
        if (Work!.IsAsync)
            Queue!.RemoveAsync(this);
        Work.EndRun();
        Queue!.Finish(Epoch!, counted: true);
        while (_posted.TakeFirst() is { } left)
            pool.AddLast(left);
        Work = null;
        Queue = null;
        Epoch = null;
        _isOver = false;
        Seam.Write(ref _state, Ended);
    }

    /// <summary>What is posted belongs to no run any more. For who has a piece of it, at any time.</summary>
    internal bool HasEnded => Seam.Read(in _state) == Ended;

    /// <summary>By the worker that ran a piece, without the lock: what left the function as an exception, once.</summary>
    internal Exception? TakeFailure()
    {
        Exception? failure = _failure;
        _failure = null;
        return failure;
    }

    /// <summary>By the worker that runs its first piece, without the lock: the function has returned, and goes on when <paramref name="task"/> is done.</summary>
    internal void Await(in ValueTask task)
    {
        _task = task;
        // Posted here when the task ends, whatever it ends on; if it has ended by now, too.
        _task.GetAwaiter().UnsafeOnCompleted(_end ??= EndOfTask);
    }

    /// <summary>
    /// By the worker that ran a piece, without the lock: it goes on when something is posted. False when it is over, or something has been posted: then <see cref="EndPiece"/>.
    /// </summary>
    internal bool TryEndPiece() => !_isOver && Seam.CompareExchange(ref _state, Awaiting, Busy) == Busy;

    /// <summary>
    /// A piece has run. True when the run is over, and then the caller ends it; else the next piece, if there is one, goes to the pool.
    /// </summary>
    internal bool EndPiece()
    {
        if (_isOver)
            return true;
        DeferredItem? next = _posted.TakeFirst();
        Seam.Write(ref _state, next is null ? Awaiting : _posted.IsEmpty ? Busy : Waited);
        if (next is not null)
            pool.AddLast(next);
        return false;
    }

    public override void Post(SendOrPostCallback d, object? state) => Post(new Piece(this, d, state));

    /// <summary>Puts a piece of the run into the pool, or behind the one that is there. One that comes when the run is over is a piece of none.</summary>
    internal void Post(DeferredItem piece)
    {
        if (TryBecomeBusy())
            pool.GoOn(piece);
        else
            PostLocked(piece);
    }

    private bool TryBecomeBusy() => Seam.CompareExchange(ref _state, Busy, Awaiting) == Awaiting;

    private void PostLocked(DeferredItem piece)
    {
        RunLock runLock = pool.System.RunLock;
        runLock.Enter();
        while (true)
        {
            if (HasEnded || TryBecomeBusy())
            {
                pool.AddLast(piece);
                pool.NeedsPlan = true;
                break;
            }

            // Its worker may have ended the piece just now.
            if (Seam.Read(in _state) == Waited || Seam.CompareExchange(ref _state, Waited, Busy) == Busy)
            {
                _posted.AddLast(piece);
                break;
            }
        }

        runLock.Exit();
    }

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("A work item's context runs its pieces one at a time: waiting for one from within would never end. Use Post.");

    private void EndOfTask()
    {
        ValueTask task = _task;
        _task = default;
        try
        {
            task.GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            // Not thrown here, where the runtime may be in the middle of ending the task: the worker reports it when the piece is done.
            _failure = e;
        }

        _isOver = true;
    }

    private sealed class Piece(WorkRun run, SendOrPostCallback callback, object? state) : DeferredItem(ItemKind.Continuation)
    {
        internal override WorkRun? Run => run;

        internal override void Execute() => callback(state);
    }
}
