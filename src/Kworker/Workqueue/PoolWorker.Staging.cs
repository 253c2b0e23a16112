using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Kworker;

/// <content>What it has taken ahead, or put behind what it runs, and runs without the run lock.</content>
internal sealed partial class PoolWorker
{
    private Workqueue? _chained; // what the function that it runs from its stage queues on this may go there, too; its own thread's
    private bool _keepsContinuations; // what the function that it runs lets go on may stay here, and go on next; its own thread's

    /// <summary>R: it has taken ahead, or put behind what it runs, what it has not begun.</summary>
    internal bool HasWaiting => _continuations.HasWaiting || _stage.HasWaiting;

    /// <summary>R: puts back to the front of the pool's list what it has not begun, or the later half of it; true when there was any.</summary>
    internal bool ReturnWaiting(bool half)
    {
        bool any = _continuations.Return(half); // behind what is in the stage
        return _stage.Return(half) || any;
    }

    /// <summary>Run lock: the run that began from its stage, from here one to stand behind; false when it is over.</summary>
    internal bool TryWatch(Work work, int index, long state, [NotNullWhen(true)] out WorkRun? run)
    {
        run = _stage.TryWatch(work, index, state, _run) ? _run : null;
        return run is not null;
    }

    /// <summary>
    /// By its own thread: whether an item that its function queues may go straight into the stage, behind it. Not where something has been waiting for longer, and
    /// not where another worker is to come for it.
    /// </summary>
    internal bool MayChain(Workqueue queue, Work work) =>
        ReferenceEquals(_chained, queue) && _stage.HasRoom && work.Kind == ItemKind.PlainWork
        && !queue.IsEager && !Listeners.OfQueueing && _pool.MayChain();

    /// <summary>R: see <see cref="Continuations.TrySteal"/>.</summary>
    internal bool TryStealContinuations(ref bool isAlone) => _continuations.TrySteal(Steps, ref isAlone);

    /// <summary>By its own thread, which <see cref="MayChain"/>, and owns Pending of the item, which does not run.</summary>
    internal void Chain(Work work, Workqueue queue)
    {
        _stage.Chain(work, queue);
        if (_pool.System.Monitor is null)
            _pool.Offer(this);
    }

    /// <summary>
    /// By its own thread: lets what follows an await go on here, behind what it runs, without a lock and without waking anybody; false where it may not.
    /// </summary>
    internal bool TryKeep(DeferredItem continuation)
    {
        if (!_keepsContinuations || !_continuations.HasRoom || continuation.Run is { Queue.IsCpuIntensive: true } || !_pool.MayChain())
            return false;
        _continuations.Add(continuation);
        if (_pool.System.Monitor is null)
            _pool.Offer(this);
        return true;
    }

    /// <summary>Runs what it has taken ahead, without the run lock. What is taken back meanwhile is left out.</summary>
    private void RunStage()
    {
        bool isTraced = Listeners.OfRuns; // who begins to listen now hears of the next stage
        Workqueue? last = null; // the queue of the run before
        for (int index = 0; index < _stage.Count; index++)
        {
            bool begun = _stage.TryBegin(index, out Work work, out Workqueue queue);
            // The end of the run before has been published before this compare-and-swap: whoever makes the queue eager from here on sees it.
            if (last is { IsEager: true })
                SettleStage();
            if (!begun)
                continue;
            last = queue;
            Seam.Write(ref _isInside, 1);
            Seam.Write(ref _begun, _begun + 1);
            CurrentWork = work;
            if (!ReferenceEquals(CurrentQueue, queue))
                CurrentQueue = queue;
            if (!ReferenceEquals(_chained, queue))
                _chained = queue;
            _keepsContinuations = true;
            Activity? activity = isTraced ? TracePoints.Begun(work, queue) : null;
            Exception? failure = null;
            try
            {
                work.Execute();
            }
            catch (Exception e)
            {
                failure = e;
                queue.Report(work, e);
            }

            if (isTraced)
                TracePoints.Ended(work, queue, activity, failure);
            CleanUp(work, queue);
            if (!_stage.TryEnd(index))
                EndWatched(index);
        }

        CurrentWork = null;
        CurrentQueue = null;
        _chained = null;
        Seam.Write(ref _isInside, 0);
    }

    private void SettleStage()
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        _stage.Settle();
        runLock.Exit();
    }

    /// <summary>Somebody stands behind the run of a staged item: it ends as any other, and they come next.</summary>
    private void EndWatched(int index)
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        EndPiece(_run, isOver: true);
        _stage.WasEnded(index);
        ProcessScheduled();
        runLock.Exit();
    }

    /// <summary>Runs what follows awaits, without the run lock, until there is no more of it, or as much as has room: then others have their turn.</summary>
    private void RunContinuations()
    {
        while (_continuations.TryTake() is { } item)
        {
            WorkRun? run = item.Run is { HasEnded: false } going ? going : null;
            BeginContinuation(run);
            Execute(item, run);
            if (run is not null && !run.TryEndPiece())
                EndPieceLocked(run);
        }

        CurrentWork = null;
        CurrentQueue = null;
        _keepsContinuations = false;
        Seam.Write(ref _isInside, 0);
    }

    private void BeginContinuation(WorkRun? run)
    {
        Seam.Write(ref _isInside, 1);
        Seam.Write(ref _begun, _begun + 1);
        Seam.Write(ref _others, _others + 1);
        CurrentWork = run?.Work;
        CurrentQueue = run?.Queue;
        _chained = null; // the run has its place among those at work: what it queues may need another
        _keepsContinuations = true;
    }

    /// <summary>The run is over, or more of it has been posted meanwhile.</summary>
    private void EndPieceLocked(WorkRun run)
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        EndPiece(run, isOver: false);
        ProcessScheduled();
        runLock.Exit();
    }
}
