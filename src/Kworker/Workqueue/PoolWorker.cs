using System.Diagnostics;

namespace Kworker;

/// <summary>One thread of a pool (the kernel's <c>struct worker</c>). Fields marked R are guarded by the system's run lock.</summary>
[DebuggerDisplay("{Name,nq}")]
internal sealed class PoolWorker
{
    private static readonly int s_idleTimeout = (int)TimeSpan.FromSeconds(30).TotalMilliseconds;

    [ThreadStatic]
    private static PoolWorker? t_current;

    private readonly WorkerPool _pool;
    private readonly Parker _parker;
    private WorkRun _run; // R: for the next item that it begins, and what stands behind that
    private int _blockingDepth; // its own thread's
    private ExecutionContext? _executionContext; // its own thread's, as it was at the start

    internal PoolWorker(WorkerPool pool, string name)
    {
        _pool = pool;
        Name = name;
        _run = new WorkRun(pool);
        _parker = Parker.ForNewThread(pool.System.Observer);
    }

    internal static PoolWorker? Current => t_current;

    internal WorkerPool Pool => _pool;

    internal string Name { get; }

    /// <summary>The run whose code this thread executes; null between items, and while it executes what belongs to none.</summary>
    internal WorkRun? CurrentRun { get; private set; }

    // R: links of the pool's idle workers.
    internal PoolWorker? NextIdle;
    internal PoolWorker? PreviousIdle;
    internal bool IsIdle;

    internal void Start(ThreadPriority priority) =>
        Seam.Start(new Thread(static state => ((PoolWorker)state!).Main()) { IsBackground = true, Name = Name, Priority = priority }, this);

    internal void Unpark() => _parker.Unpark();

    internal void BeginBlocking()
    {
        if (_blockingDepth++ == 0)
            _pool.WorkerBlocks();
    }

    internal void EndBlocking()
    {
        if (--_blockingDepth == 0)
            _pool.WorkerUnblocks();
    }

    /// <summary>
    /// Runs what there is, then idles. A worker that was taken from the idle list counts as running from then on, so it looks for work
    /// before it idles again: an item that is added afterwards finds it running or idle, never in between, as both change under the run lock.
    /// </summary>
    private void Main()
    {
        t_current = this;
        KworkerSystem.Enter(_pool.System);
        _parker.Adopt();
        _executionContext = ExecutionContext.Capture();
        ref Spinlock runLock = ref _pool.System.RunLock;
        runLock.Enter();
        _pool.WorkerArrives();
        while (true)
        {
            while (_pool.NextItem() is { } item)
            {
                if (item.IsTied)
                    _run.Scheduled.TakeTied(item);
                else
                    Process(item);
                while (_run.Scheduled.First is { } next)
                    Process(next);
            }

            if (!_pool.TryIdle(this) || !Idle(ref runLock))
                break;
        }

        runLock.Exit();
        _parker.Leave();
    }

    /// <summary>Sleeps until the pool takes it from its idle workers; false when it is to end instead. The run lock is held before and after.</summary>
    private bool Idle(ref Spinlock runLock)
    {
        while (IsIdle) // a wake-up may be an old one, of a wait that is over
        {
            runLock.Exit();
            bool woken = _parker.Park(s_idleTimeout);
            runLock.Enter();
            if (!woken && IsIdle && _pool.TryRetire(this))
                return false;
        }

        _pool.WorkerArrives();
        return true;
    }

    /// <summary>Runs one item (<c>process_one_work</c>). The run lock is held before and after, not meanwhile.</summary>
    private void Process(DeferredItem item)
    {
        ref Spinlock runLock = ref _pool.System.RunLock;
        runLock.AssertHeld();
        WorkRun? run = item.Run is { Work: not null } going ? going : null;
        if (item is Work work)
        {
            if (work.RunInProgress is { } other)
            {
                // It runs already: its next run, and whoever flushes that, stand behind the one in progress.
                other.Scheduled.TakeTied(item);
                return;
            }

            run = _run;
            run.Begin(work);
            work.BeginRun(run);
        }

        item.Unlink();
        item.IsTied = false;
        CurrentRun = run;
        // Others may be waiting: if not enough workers run, one more goes on with them.
        WakePlan plan = _pool.PlanWake();
        runLock.Exit();
        plan.Carry();

        bool isOver = Execute(item, run);

        var done = new FinishedEpochs();
        plan = default;
        runLock.Enter();
        CurrentRun = null;
        if (run is not null)
            plan = EndPiece(run, isOver, ref done);
        else if (item is FlushBarrier barrier)
            barrier.Queue.Finish(barrier.Epoch, counted: false, ref done);
        if (done.Any || plan.IsAny)
        {
            runLock.Exit();
            plan.Carry();
            done.Complete();
            runLock.Enter();
        }
    }

    /// <summary>A piece of a run has been executed: the run is over, or it goes on without us.</summary>
    private WakePlan EndPiece(WorkRun run, bool isOver, ref FinishedEpochs done)
    {
        WakePlan plan = default;
        if (isOver || run.EndPiece())
        {
            Workqueue queue = run.Queue!;
            bool isContext = run.Work!.IsAsync;
            run.End(ref done);
            if (!ReferenceEquals(queue.Pool, _pool))
                plan = queue.PlanWake(); // what has become active is not for us to run
            if (isContext && ReferenceEquals(run, _run))
                _run = new WorkRun(_pool);
            if (!ReferenceEquals(run, _run))
                _run.Scheduled.TakeAll(run.Scheduled);
        }
        else if (ReferenceEquals(run, _run))
        {
            _run = new WorkRun(_pool); // it keeps what stands behind it
        }

        return plan;
    }

    /// <summary>Executes an item; true when it is a work item whose run ended with it.</summary>
    private bool Execute(DeferredItem item, WorkRun? run)
    {
        bool isOver = item is Work;
        Exception? failure = null;
        try
        {
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

        // Whatever left the function is the function's fault: the queue's handler hears of it, the worker goes on.
        if (failure is not null)
        {
            if (run is null)
                _pool.System.Log($"{Name}: what follows an await failed: {failure}");
            else if (!run.Work!.IsOwnCancellation(failure))
                run.Queue!.Report(run.Work!, failure);
        }

        CleanUp(run);
        return isOver;
    }

    /// <summary>What the function left on the thread is not the next one's: asynchronous locals, a synchronization context, a blocking scope.</summary>
    private void CleanUp(WorkRun? run)
    {
        if (!ReferenceEquals(ExecutionContext.Capture(), _executionContext))
            ExecutionContext.Restore(_executionContext!);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
        if (_blockingDepth == 0)
            return;
        _blockingDepth = 1;
        EndBlocking();
        string message = $"A {nameof(Worker)}.{nameof(Worker.Blocking)} scope of {run?.Work?.FunctionName ?? "what follows an await"} was not disposed of.";
        if (run is not null)
            run.Queue!.Report(run.Work!, new InvalidOperationException(message));
        else
            _pool.System.Log(message);
    }
}
