namespace Kworker;

/// <content>How it runs one thing.</content>
internal sealed partial class PoolWorker
{
    /// <summary>Runs one item (<c>process_one_work</c>). The run lock is held before and after, not meanwhile.</summary>
    private void Process(DeferredItem item)
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.AssertHeld();
        WorkRun? run = item.Run is { Work: not null } going ? going : null;
        if (item is Work work)
        {
            if (work.FindRun() is { } other)
            {
                // It runs already: its next run, and whoever flushes that, stand behind the one in progress.
                other.Scheduled.TakeTied(item);
                return;
            }

            run = _run;
            run.Begin(work, work.Queue!, work.Epoch!);
        }

        ExecutionContext? context = null;
        if (run?.Queue is { IsPlain: false } queue)
        {
            if (queue.IsCpuIntensive)
                CountOut(CpuIntensive);
            // A piece that follows an await brings its own.
            if (queue.FlowsContext && item is Work flowing)
                context = WorkContexts.Take(flowing);
        }

        // Out of the list before it is let go of: from then on anybody may put it into an inbox or the wheel, without the run lock and by the same links.
        item.Unlink();
        item.IsTied = false;
        (item as Work)?.BeginRun(run!);
        CurrentWork = run?.Work;
        CurrentQueue = run?.Queue;
        _chained = null;
        _keepsContinuations = _rescuer is null && _pool.IsManaged;
        Seam.Write(ref _begun, _begun + 1);
        if (item is not Work)
            Volatile.Write(ref _others, _others + 1);
        // Others may be waiting: if not enough workers run, one more goes on with them.
        _pool.NeedsPlan = true;
        runLock.Exit();
        if (_rescuer is not null)
            TracePoints.Rescued(_rescuer.QueueName);

        Seam.Write(ref _isInside, 1);
        if (context is not null)
            ExecutionContext.Restore(context); // until CleanUp
        bool isOver = Execute(item, run);
        Seam.Write(ref _isInside, 0);
        _keepsContinuations = false;

        runLock.Enter();
        CountIn(CpuIntensive | Detected);
        CurrentWork = null;
        CurrentQueue = null;
        if (run is not null)
            EndPiece(run, isOver);
        else if (item is FlushBarrier barrier)
            barrier.Queue.Finish(barrier.Epoch, counted: false);
        if (runLock.HasNoted)
        {
            runLock.Exit();
            runLock.Enter();
        }
    }

    /// <summary>A piece of a run has been executed: the run is over, or it goes on without us.</summary>
    private void EndPiece(WorkRun run, bool isOver)
    {
        if (isOver || run.EndPiece())
        {
            Workqueue queue = run.Queue!;
            bool isContext = run.Work!.IsAsync;
            run.End();
            if (!ReferenceEquals(queue.Pool, _pool))
                queue.Pool.NeedsPlan = true; // what has become active is not for us to run
            if (isContext && ReferenceEquals(run, _run))
                _run = new WorkRun(_pool);
            if (!ReferenceEquals(run, _run))
                _run.Scheduled.TakeAll(run.Scheduled);
        }
        else if (ReferenceEquals(run, _run))
        {
            _run = new WorkRun(_pool); // it keeps what stands behind it
        }
    }

    /// <summary>Executes an item; true when it is a work item whose run ended with it.</summary>
    private bool Execute(DeferredItem item, WorkRun? run)
    {
        bool isOver = item is Work;
        Exception? failure = null;
        try
        {
            if (item is Work begun && Listeners.OfRuns)
                run!.Activity = TracePoints.Begun(begun, run.Queue!);

            if (item is Work { IsAsync: true } work)
            {
                SynchronizationContext.SetSynchronizationContext(run);
                ValueTask task = work.ExecuteAsync();
                if (task.IsCompleted)
                {
                    task.GetAwaiter().GetResult();
                }
                else
                {
                    isOver = false;
                    run!.Await(task);
                }
            }
            else
            {
                if (!isOver && run is not null)
                    SynchronizationContext.SetSynchronizationContext(run);
                item.Execute();
                failure = run?.TakeFailure();
            }
        }
        catch (Exception e)
        {
            failure = e;
        }

        if (run is not null && (isOver || run.IsOver))
            EndTrace(run, failure);
        // Whatever left the function is the function's fault: the queue's handler hears of it, the worker goes on.
        if (failure is not null)
        {
            if (run is null)
                _pool.System.Log($"{Name}: what follows an await failed: {failure}");
            else if (!run.Work!.IsOwnCancellation(failure))
                run.Queue!.Report(run.Work!, failure);
        }

        CleanUp(run?.Work, run?.Queue);
        return isOver;
    }

    private static void EndTrace(WorkRun run, Exception? failure)
    {
        if (run.Activity is null && !Listeners.OfEnds)
            return;
        TracePoints.Ended(run.Work!, run.Queue!, run.Activity, failure);
        run.Activity = null;
    }

    /// <summary>What the function left on the thread is not the next one's: asynchronous locals, a synchronization context, a blocking scope.</summary>
    private void CleanUp(Work? work, Workqueue? queue)
    {
        if (!ReferenceEquals(ExecutionContext.Capture(), _executionContext))
            ExecutionContext.Restore(_executionContext!);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
        if (_blockingDepth == 0)
            return;
        _blockingDepth = 1;
        EndBlocking();
        string message = $"A {nameof(Worker)}.{nameof(Worker.Blocking)} scope of {work?.FunctionName ?? "what follows an await"} was not disposed of.";
        if (work is not null)
            queue!.Report(work, new InvalidOperationException(message));
        else
            _pool.System.Log(message);
    }
}
