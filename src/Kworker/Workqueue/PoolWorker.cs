using System.Diagnostics;

namespace Kworker;

/// <summary>One thread of a pool (the kernel's <c>struct worker</c>). Fields marked R are guarded by the system's run lock.</summary>
[DebuggerDisplay("{Name,nq}")]
internal sealed partial class PoolWorker
{
    private static readonly int s_idleTimeout = (int)TimeSpan.FromSeconds(30).TotalMilliseconds;

    [ThreadStatic]
    private static PoolWorker? t_current;

    private readonly WorkerPool _pool;
    private readonly Parker _parker;
    private readonly Stage _stage;
    private readonly Continuations _continuations;
    private WorkRun _run; // R: for the next item that it begins, and what stands behind that
    private ExecutionContext? _executionContext; // its own thread's, as it was at the start

    private readonly Rescuer? _rescuer; // whose thread this is; null for a worker of the pool's
    private int _begun; // counts what it has begun; its own thread's, read by the monitor
    private int _others; // of these, those that are no runs of items, but pieces of them or barriers; its own thread's
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
        _continuations = new Continuations(pool);
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

    /// <summary>Its thread's number in the operating system; 0 where there is no asking, and before it arrives.</summary>
    internal int ThreadId => _probe?.Id ?? 0;

    internal void Start(ThreadPriority priority) =>
        Seam.Start(new Thread(static state => ((PoolWorker)state!).Main()) { IsBackground = true, Name = Name, Priority = priority }, this);

    internal void Unpark() => _parker.Unpark();

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
}
