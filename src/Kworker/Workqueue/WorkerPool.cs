using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A pool of workers that runs items in the order in which they became active (the kernel's <c>struct worker_pool</c>).
/// <para>
/// A managed pool keeps as many workers <em>running</em> as it was told to (the number of processors), as long as there is work: one that
/// blocks stops counting and another is woken or made. An unmanaged one starts every item as soon as a worker can be had. All fields are
/// guarded by the system's run lock; waking and making threads is planned under it and carried out after it (<see cref="WakePlan"/>).
/// </para>
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
internal sealed class WorkerPool(KworkerSystem system, string name, int maxRunning)
{
    /// <summary>For <c>maxRunning</c>: every item gets a worker at once.</summary>
    internal const int Unmanaged = int.MaxValue;

    /// <summary>A bound on threads against a run-away program; work beyond it waits.</summary>
    private const int MaxWorkers = 8192;

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromMilliseconds(100);

    private readonly ItemList _items = new();
    private PoolWorker? _idle; // the latest to become idle first: its caches are warm
    private int _idleCount;
    private int _workers;
    private int _running;
    private int _made;
    private int _arriving; // workers woken or made that have not looked at the list yet
    private bool _isStarting; // a thread is being made: it looks at the list itself when it runs
    private bool _isRetrying; // a thread could not be made: a timer will try again
    private bool _isShutdown;

    internal KworkerSystem System => system;

    internal ThreadPriority Priority { get; init; } = ThreadPriority.Normal;

    private bool IsManaged => maxRunning != Unmanaged;

    /// <summary>Adds an item that counts for no queue.</summary>
    internal void Add(DeferredItem item)
    {
        system.RunLock.Enter();
        AddActive(item);
        WakePlan plan = PlanWake();
        system.RunLock.Exit();
        plan.Carry();
    }

    internal void AddActive(DeferredItem item)
    {
        system.RunLock.AssertHeld();
        _items.AddLast(item);
    }

    internal void AddActiveTied(DeferredItem item) => _items.TakeTied(item);

    /// <summary>The next item for a running worker, or null when it should idle (<c>keep_working</c>), or, at the pool's end, end.</summary>
    internal DeferredItem? NextItem() => _running <= maxRunning || _isShutdown ? _items.First : null;

    /// <summary>Whether a worker more is needed, and which: one that idles, now counted as running, or a new one.</summary>
    internal WakePlan PlanWake()
    {
        system.RunLock.AssertHeld();
        if (_items.IsEmpty || _running >= maxRunning)
            return default;
        // Nobody counts an unmanaged pool's running workers, so one that is on its way must do: when it has taken an item it plans anew.
        if (!IsManaged && _arriving > 0)
            return default;
        if (_idle is { } worker)
        {
            RemoveIdle(worker);
            _arriving++;
            CountRunning(1);
            return new WakePlan(this, worker);
        }

        if (_isStarting || _workers >= MaxWorkers)
            return default;
        _isStarting = true;
        _workers++;
        _arriving++;
        CountRunning(1);
        return new WakePlan(this, worker: null);
    }

    /// <summary>A worker that was woken or made is about to look at the list.</summary>
    internal void WorkerArrives()
    {
        system.RunLock.AssertHeld();
        _arriving--;
    }

    /// <summary>False when the pool ends and the worker is to end, too.</summary>
    internal bool TryIdle(PoolWorker worker)
    {
        CountRunning(-1);
        if (_isShutdown)
        {
            _workers--;
            return false;
        }

        worker.IsIdle = true;
        worker.NextIdle = _idle;
        worker.PreviousIdle = null;
        if (_idle is not null)
            _idle.PreviousIdle = worker;
        _idle = worker;
        _idleCount++;
        return true;
    }

    /// <summary>An idle worker has idled for long: true when it may end (many idle for few that are busy).</summary>
    internal bool TryRetire(PoolWorker worker)
    {
        system.RunLock.AssertHeld();
        if (_idleCount <= 2 || (_idleCount - 2) * 4 < _workers - _idleCount)
            return false;
        RemoveIdle(worker);
        _workers--;
        return true;
    }

    /// <summary>The calling worker is about to block (<c>wq_worker_sleeping</c>).</summary>
    internal void WorkerBlocks()
    {
        if (!IsManaged)
            return;
        system.RunLock.Enter();
        CountRunning(-1);
        WakePlan plan = PlanWake();
        system.RunLock.Exit();
        plan.Carry();
    }

    /// <summary>The calling worker runs again (<c>wq_worker_running</c>): for a while there may be one too many.</summary>
    internal void WorkerUnblocks()
    {
        if (!IsManaged)
            return;
        system.RunLock.Enter();
        CountRunning(1);
        system.RunLock.Exit();
    }

    /// <summary>Makes the thread that a plan asked for. On failure the work stays, and after a while, or when more comes, another attempt is made.</summary>
    internal void StartWorker()
    {
        var worker = new PoolWorker(this, $"kworker/{name}:{Interlocked.Increment(ref _made) - 1}");
        Exception? failure = null;
        try
        {
            worker.Start(Priority);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            failure = e;
        }

        system.RunLock.Enter();
        _isStarting = false;
        WakePlan plan = default;
        bool retry = false;
        if (failure is null)
        {
            plan = PlanWake(); // what was added while the thread was being made
        }
        else
        {
            _workers--;
            _arriving--;
            CountRunning(-1);
            retry = !_isRetrying;
            _isRetrying = true;
        }

        system.RunLock.Exit();
        if (failure is not null)
            system.Log($"kworker: no thread for {worker.Name}: {failure.Message}");
        if (retry)
            system.Timers.Arm(new Retry(this), s_retryAfter);
        plan.Carry();
    }

    private void TryAgain()
    {
        system.RunLock.Enter();
        _isRetrying = false;
        WakePlan plan = PlanWake();
        system.RunLock.Exit();
        plan.Carry();
    }

    /// <summary>Lets idle workers end; those that run end when nothing is left to do.</summary>
    internal void Shutdown()
    {
        system.RunLock.Enter();
        _isShutdown = true;
        PoolWorker? first = _idle;
        for (PoolWorker? worker = first; worker is not null; worker = worker.NextIdle)
        {
            worker.IsIdle = false;
            _arriving++;
            CountRunning(1);
        }

        _idle = null;
        _idleCount = 0;
        system.RunLock.Exit();
        while (first is not null)
        {
            PoolWorker? next = first.NextIdle;
            first.Unpark();
            first = next;
        }
    }

    private void CountRunning(int change)
    {
        if (IsManaged)
            _running += change;
    }

    private void RemoveIdle(PoolWorker worker)
    {
        if (worker.PreviousIdle is null)
            _idle = worker.NextIdle;
        else
            worker.PreviousIdle.NextIdle = worker.NextIdle;
        if (worker.NextIdle is not null)
            worker.NextIdle.PreviousIdle = worker.PreviousIdle;
        worker.NextIdle = null;
        worker.PreviousIdle = null;
        worker.IsIdle = false;
        _idleCount--;
    }

    private sealed class Retry(WorkerPool pool) : DeferredItem
    {
        internal override void Expire() => pool.TryAgain();
    }

    public override string ToString() => $"kworker/{name}: {_workers} workers, {_idleCount} idle, {_running} running";
}

/// <summary>Whom to wake, decided under the run lock and done after it.</summary>
internal readonly struct WakePlan(WorkerPool pool, PoolWorker? worker)
{
    internal bool IsAny => pool is not null;

    internal void Carry()
    {
        if (worker is not null)
            worker.Unpark();
        else
            pool?.StartWorker();
    }
}
