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
    private int _blockingDepth; // its own thread's
    private ExecutionContext? _executionContext; // its own thread's, as it was at the start

    internal PoolWorker(WorkerPool pool, string name)
    {
        _pool = pool;
        Name = name;
        _parker = Parker.ForNewThread(pool.System.Observer);
    }

    internal static PoolWorker? Current => t_current;

    internal string Name { get; }

    /// <summary>R: items that only this worker may run, before any other: barriers behind what it runs, and the next run of what it runs.</summary>
    internal ItemList Scheduled { get; } = new();

    /// <summary>R: what it runs; null between items, and while it runs a barrier or a continuation.</summary>
    internal Work? CurrentWork { get; private set; }

    /// <summary>R, read by its own thread without: the queue that what it runs was queued on.</summary>
    internal Workqueue? CurrentQueue { get; private set; }

    /// <summary>R: the flush epoch of what it runs.</summary>
    internal FlushEpoch? CurrentEpoch { get; private set; }

    // R: links of the pool's idle workers.
    internal PoolWorker? NextIdle;
    internal PoolWorker? PreviousIdle;
    internal bool IsIdle;

    internal void Start(ThreadPriority priority) =>
        new Thread(static state => ((PoolWorker)state!).Main()) { IsBackground = true, Name = Name, Priority = priority }.UnsafeStart(this);

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
                    Scheduled.TakeTied(item);
                else
                    Process(item);
                while (Scheduled.First is { } next)
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
        var work = item as Work;
        if (work is not null)
        {
            if (work.Runner is { } other && !ReferenceEquals(other, this))
            {
                // It runs already: its next run, and whoever flushes that, belong to the worker that has it.
                other.Scheduled.TakeTied(item);
                return;
            }

            CurrentQueue = work.Queue;
            CurrentEpoch = work.Epoch;
            CurrentWork = work;
            work.BeginRun(this);
        }

        item.Unlink();
        item.IsTied = false;
        // Others may be waiting: if not enough workers run, one more goes on with them.
        WakePlan plan = _pool.PlanWake();
        runLock.Exit();
        plan.Carry();

        Run(item);

        var done = new FinishedEpochs();
        runLock.Enter();
        if (work is not null)
        {
            work.EndRun();
            CurrentQueue!.Finish(CurrentEpoch!, counted: true, ref done);
            CurrentWork = null;
            CurrentQueue = null;
            CurrentEpoch = null;
        }
        else if (item is FlushBarrier barrier)
        {
            barrier.Queue.Finish(barrier.Epoch, counted: false, ref done);
        }

        if (done.Any)
        {
            runLock.Exit();
            done.Complete();
            runLock.Enter();
        }
    }

    private void Run(DeferredItem item)
    {
        try
        {
            item.Execute();
        }
        catch (Exception e)
        {
            // Whatever left the function is the function's fault: the queue's handler hears of it, the worker goes on.
            if (item is Work work)
                CurrentQueue!.Report(work, e);
            else
                _pool.System.Log($"{Name}: what follows an await failed: {e}");
        }

        Debug.Assert(_blockingDepth == 0, "a blocking scope was not disposed of");
        // What the function left on the thread is not the next one's: asynchronous locals, a synchronization context.
        if (!ReferenceEquals(ExecutionContext.Capture(), _executionContext))
            ExecutionContext.Restore(_executionContext!);
        if (SynchronizationContext.Current is not null)
            SynchronizationContext.SetSynchronizationContext(null);
    }
}
