using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

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
    private readonly Stage _stage;
    private WorkRun _run; // R: for the next item that it begins, and what stands behind that
    private int _blockingDepth; // its own thread's
    private Workqueue? _chained; // what the function that it runs from its stage queues on this may go there, too; its own thread's
    private ExecutionContext? _executionContext; // its own thread's, as it was at the start

    private const int Blocked = 1;
    private const int CpuIntensive = 2;
    private const int Detected = 4;
    private const int Rescuing = 8;

    private readonly Rescuer? _rescuer; // whose thread this is; null for a worker of the pool's
    private int _notRunning; // R: why it does not count as running, bits as above (WORKER_NOT_RUNNING); 0 when it does
    private int _begun; // counts what it has begun; its own thread's, read by the monitor
    private int _others; // of these, those that are no runs of items, but pieces of them or barriers; its own thread's
    private int _begunAtLastLook; // the monitor's
    private bool _sleptAtLastLook; // at the item of that look; the monitor's
    private int _isInside; // 1 while it executes, rather than looks for work or makes another worker; its own thread's, read by the monitor
    private ThreadProbe? _probe; // set by its own thread before it arrives

    internal PoolWorker(WorkerPool pool, string name, Rescuer? rescuer = null)
    {
        _rescuer = rescuer;
        _notRunning = rescuer is null ? 0 : Rescuing;
        _pool = pool;
        Name = name;
        _run = new WorkRun(pool);
        _stage = new Stage(pool, this);
        _parker = Parker.ForNewThread(pool.System.Observer);
    }

    internal static PoolWorker? Current => t_current;

    internal WorkerPool Pool => _pool;

    internal string Name { get; }

    /// <summary>The item whose function this thread executes; null between items, and while it executes what belongs to none. Its own thread's.</summary>
    internal Work? CurrentWork { get; private set; }

    /// <summary>The queue of <see cref="CurrentWork"/>. Its own thread's.</summary>
    internal Workqueue? CurrentQueue { get; private set; }

    /// <summary>How many runs of items it has begun. Written by its own thread, read by any.</summary>
    internal int Runs => Volatile.Read(ref _begun) - Volatile.Read(ref _others);

    /// <summary>How many pieces of any kind, by which it is seen to go on. Written by its own thread, read by any.</summary>
    internal int Steps => Volatile.Read(ref _begun);

    /// <summary>What it has taken ahead.</summary>
    internal Stage Stage => _stage;

    /// <summary>R: it is one of the pool's idle workers, not of its busy ones.</summary>
    internal bool IsIdle;

    /// <summary>R: of the pool's idle workers, or of its busy ones.</summary>
    private StackLinks<PoolWorker> _links;

    internal readonly struct InPool : IStackRole<PoolWorker>
    {
        public static ref StackLinks<PoolWorker> LinksOf(PoolWorker item) => ref item._links;
    }

    /// <summary>R: it has looked for work once; before that it is being made.</summary>
    internal bool HasArrived;

    /// <summary>R: it was woken though others ran.</summary>
    internal bool ComesToHelp;

    /// <summary>R: when it began to look for work, on the stopwatch.</summary>
    internal long CameAt;

    /// <summary>R.</summary>
    internal bool CountsAsRunning => _notRunning == 0;

    /// <summary>R: the monitor has counted it out.</summary>
    internal bool IsDetected => (_notRunning & Detected) != 0;

    /// <summary>From any thread: it executes something, rather than looks for work or makes another worker.</summary>
    internal bool IsInside => Seam.Read(in _isInside) != 0;

    /// <summary>From any thread: its thread sleeps.</summary>
    internal bool IsAsleep => _probe!.IsAsleep;

    /// <summary>Its thread's number in the operating system; 0 where there is no asking, and before it arrives.</summary>
    internal int ThreadId => _probe?.Id ?? 0;

    internal void Start(ThreadPriority priority) =>
        Seam.Start(new Thread(static state => ((PoolWorker)state!).Main()) { IsBackground = true, Name = Name, Priority = priority }, this);

    internal void Unpark() => _parker.Unpark();

    /// <summary>The function is about to block: what has been taken ahead is for others, and another worker may run (<c>wq_worker_sleeping</c>).</summary>
    internal void BeginBlocking()
    {
        if (_blockingDepth++ != 0)
            return;
        _chained = null; // until the next item: what would stand behind this one might wait for long
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        _stage.Return(half: false);
        CountOut(Blocked);
        runLock.Exit();
    }

    /// <summary>The function runs again (<c>wq_worker_running</c>).</summary>
    internal void EndBlocking()
    {
        if (--_blockingDepth != 0)
            return;
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        CountIn(Blocked | Detected);
        runLock.Exit();
    }

    /// <summary>By the monitor, at each look: notes whether it is still at what it was at before.</summary>
    internal void NoteLook()
    {
        int begun = Seam.Read(in _begun);
        Stands = begun == _begunAtLastLook && IsInside;
        _begunAtLastLook = begun;
        _sleptAtLastLook &= Stands;
    }

    /// <summary>The monitor's: at the last look it was at the same item as at the one before.</summary>
    internal bool Stands { get; private set; }

    /// <summary>
    /// By the monitor, without the lock: looks at its thread; true when it sleeps, and slept at the look before, too. Once is not enough: one that computes
    /// sleeps for a moment, too, such as when the garbage collector stops it.
    /// </summary>
    internal bool SleepsOn(out bool isAsleep)
    {
        isAsleep = IsAsleep;
        bool sleptBefore = _sleptAtLastLook;
        _sleptAtLastLook = isAsleep;
        return isAsleep && sleptBefore;
    }

    /// <summary>By the monitor, without the lock: it was found asleep. False when it has moved since.</summary>
    internal bool TryDetect()
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        bool stands = Seam.Read(in _begun) == _begunAtLastLook && CountsAsRunning && !IsIdle;
        if (stands)
        {
            _stage.Return(half: false);
            CountOut(Detected);
        }

        runLock.Exit();
        return stands;
    }

    /// <summary>By the monitor, without the lock: it runs after all.</summary>
    internal void Undetect()
    {
        RunLock runLock = _pool.System.RunLock;
        runLock.Enter();
        if (!IsIdle)
            CountIn(Detected);
        runLock.Exit();
    }

    private void CountOut(int reason)
    {
        if (_notRunning == 0)
            _pool.CountRunning(-1);
        _notRunning |= reason;
    }

    private void CountIn(int reason)
    {
        if (_notRunning == 0)
            return;
        _notRunning &= ~reason;
        if (_notRunning == 0)
            _pool.CountRunning(1);
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

    /// <summary>By its own thread, which <see cref="MayChain"/>, and owns Pending of the item, which does not run.</summary>
    internal void Chain(Work work, Workqueue queue)
    {
        _stage.Chain(work, queue);
        if (_pool.System.Monitor is null)
            _pool.Offer(_stage);
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
        _pool.System.Registry.Add(this);
        _pool.System.Watchdog.Start();
        _executionContext = ExecutionContext.Capture();
        _probe = new ThreadProbe();
        RunLock runLock = _pool.System.RunLock;
        runLock.EnterUnsettled();
        if (_rescuer is null)
            RunPool(runLock);
        else
            RunRescuer(_rescuer, runLock);
        runLock.Exit();
        _pool.System.Registry.Remove(this);
        _parker.Leave();
    }

    private void RunPool(RunLock runLock)
    {
        _pool.WorkerArrives(this);
        while (true)
        {
            while (true)
            {
                if (_pool.TryFill(_stage))
                {
                    do
                    {
                        runLock.Exit();
                        RunStage();
                        runLock.EnterUnsettled();
                        CountIn(Detected);
                        if (_stage.IsEager)
                            runLock.Settle(); // what becomes active now stands behind what has been pushed before
                        _stage.Clear();
                    }
                    while (_pool.TryFill(_stage));
                    _pool.Forget(_stage);
                }
                else if (_pool.NextItem() is not { } item)
                {
                    break;
                }
                else if (item.IsTied)
                {
                    _run.Scheduled.TakeTied(item);
                }
                else
                {
                    Process(item);
                }

                ProcessScheduled();
                if (runLock.HasNoted)
                {
                    runLock.Exit();
                    runLock.EnterUnsettled();
                }
            }

            if (TrySteal(runLock))
                continue;
            _stage.Release();
            if (!_pool.TryIdle(this) || !Idle(runLock))
                break;
        }
    }

    /// <summary>Whether there is something in the pool's list now. The run lock is held before and after.</summary>
    private bool TrySteal(RunLock runLock)
    {
        if (_pool.TrySteal(out bool isAlone))
            return true;
        if (!isAlone)
            return false;
        // Somebody has a single item waiting behind the one that it runs. Mostly that is over before we could begin the other.
        runLock.Exit();
        for (int i = 0; i < LookAgainAfter; i++)
            Seam.Pause();
        runLock.Enter();
        return _pool.NextItem() is not null || _pool.TrySteal(out _);
    }

    /// <summary>In pauses: about a microsecond.</summary>
    private const int LookAgainAfter = 40;

    /// <summary>
    /// Runs the items of its queue that wait when it is called. It sleeps only when it is neither called nor stopped, which it finds under the run lock; who changes
    /// that unparks it afterwards.
    /// </summary>
    private void RunRescuer(Rescuer rescuer, RunLock runLock)
    {
        runLock.Settle();
        while (!rescuer.IsStopping)
        {
            while (rescuer.NextItem() is { } item)
            {
                if (item.IsTied)
                    _run.Scheduled.TakeTied(item);
                else
                    Process(item);
                ProcessScheduled();
            }

            while (rescuer.IsIdle)
            {
                runLock.Exit();
                _parker.Park();
                runLock.Enter();
            }
        }
    }

    /// <summary>What may run only when the run that has just ended is over, before anything else.</summary>
    private void ProcessScheduled()
    {
        while (_run.Scheduled.First is { } next)
            Process(next);
    }

    /// <summary>Sleeps until the pool takes it from its idle workers; false when it is to end instead. The run lock is held before and after.</summary>
    private bool Idle(RunLock runLock)
    {
        while (IsIdle) // a wake-up may be an old one, of a wait that is over
        {
            runLock.Exit();
            bool woken = _parker.Park(s_idleTimeout);
            runLock.EnterUnsettled();
            if (!woken && IsIdle && _pool.TryRetire(this))
                return false;
        }

        _pool.WorkerArrives(this);
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
                TracePoints.Ended(work, activity, failure);
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

        // Out of the list before it is let go of: from then on anybody may put it into an inbox or the wheel, without the run lock and by the same links.
        item.Unlink();
        item.IsTied = false;
        (item as Work)?.BeginRun(run!);
        CurrentWork = run?.Work;
        CurrentQueue = run?.Queue;
        _chained = null;
        Seam.Write(ref _begun, _begun + 1);
        if (item is not Work)
            Volatile.Write(ref _others, _others + 1);
        if (CurrentQueue is { IsCpuIntensive: true })
            CountOut(CpuIntensive);
        // Others may be waiting: if not enough workers run, one more goes on with them.
        _pool.NeedsPlan = true;
        runLock.Exit();
        if (_rescuer is not null)
            TracePoints.Rescued(_rescuer.QueueName);

        Seam.Write(ref _isInside, 1);
        bool isOver = Execute(item, run);
        Seam.Write(ref _isInside, 0);

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
        if (run.Activity is null && !Listeners.Workqueue)
            return;
        TracePoints.Ended(run.Work!, run.Activity, failure);
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
