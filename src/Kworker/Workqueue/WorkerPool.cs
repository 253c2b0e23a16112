using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Kworker;

/// <summary>
/// A pool of workers that runs items in the order in which they became active (the kernel's <c>struct worker_pool</c>).
/// <para>
/// A managed pool keeps as many workers <em>running</em> as it was told to (the number of processors), as long as there is work: one that
/// blocks stops counting and another is woken or made. An unmanaged one starts every item as soon as a worker can be had. All fields are
/// guarded by the system's run lock but for those marked otherwise; waking and making threads is planned under it and carried out after it (<see cref="WakePlan"/>).
/// </para>
/// <para>
/// Who comes for an item: one worker at a time is on its way (<em>arriving</em>: woken or made, or looking around before it idles); when it has found work
/// it sends for the next, as long as there is more. So a burst of items costs its producers one wake-up. A producer that pushes into the inbox sends for a
/// worker only if the pool is <em>hungry</em>: fewer run than may and none is on its way. Otherwise somebody runs or arrives, and looks at the inbox before it idles:
/// it says that the pool is hungry first and looks then, a producer pushes first and then asks whether it is hungry. If workers came in vain of late, producers
/// leave it to those that run for a while; should these be held up, the monitor sends for another.
/// </para>
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
internal sealed partial class WorkerPool(KworkerSystem system, string name, int maxRunning, int maxWorkers)
{
    /// <summary>For <c>maxRunning</c>: every item gets a worker at once.</summary>
    internal const int Unmanaged = int.MaxValue;

    private static readonly TimeSpan s_retryAfter = TimeSpan.FromMilliseconds(100);

    private readonly ItemList _items = new();
    private Entrance _entrance = new() { Inbox = new Inbox(), Hunger = Starving }; // without the lock
    private LinkedStack<Stage, Stage.InPool> _stages; // those that hold items
    private LinkedStack<PoolWorker, PoolWorker.InPool> _idle; // the latest to become idle first: its caches are warm
    private int _idleCount;
    private int _workers;
    private LinkedStack<PoolWorker, PoolWorker.InPool> _busy; // those that do not idle
    private int _running;
    private int _extra; // so many more may run: all that ran were found blocked, and more of the same kind waits
    private bool _isAtCap; // no worker was made because there are too many; said once until one could be
    private int _made;
    private int _arriving; // workers woken or made that have not looked at the list yet
    private int _making; // those of them that are being made, which may take long where processors are scarce
    private bool _isStarting; // a thread is being made: it looks at the list itself when it runs
    private bool _isRetrying; // a thread could not be made: a timer will try again
    private bool _isShutdown;

    /// <summary>What <see cref="Entrance.Patience"/> was last set to. Run lock.</summary>
    private int _lastPatience;

    /// <summary>As many run as may, or one is on its way.</summary>
    private const int Full = 0;

    /// <summary>Another may come, but some run, and will look at the inbox.</summary>
    private const int Hungry = 1;

    /// <summary>None runs, and none is on its way.</summary>
    private const int Starving = 2;

    private const int MostPatience = 1 << 15;

    /// <summary>Several times what it costs to wake a thread and put it to sleep again.</summary>
    private static readonly TimeSpan s_worthComing = TimeSpan.FromMicroseconds(50);

    internal KworkerSystem System => system;

    internal ThreadPriority Priority { get; init; } = ThreadPriority.Normal;

    /// <summary>It keeps so many workers running, and has an inbox.</summary>
    internal bool IsManaged => maxRunning != Unmanaged;

    /// <summary>Something has changed that may call for a worker: <see cref="RunLock.Exit"/> plans. Run lock.</summary>
    internal bool NeedsPlan
    {
        get;
        set
        {
            field = value;
            if (value)
                system.RunLock.HasNoted = true;
        }
    }

    /// <summary>
    /// Without the lock: gives an item to the pool; from there it is its queue's to receive. A managed pool.
    /// </summary>
    internal void Push(DeferredItem item)
    {
        if (!_entrance.Inbox.TryPush(item))
        {
            PushLocked(item);
            return;
        }

        int hunger = Seam.Read(in _entrance.Hunger);
        if (hunger == Full)
            return;
        if (hunger == Hungry && _entrance.Patience > 0)
            _entrance.Patience--;
        else
            Feed();
    }

    /// <summary>
    /// Without the lock: lets what follows an await go on, on the worker that lets it if that is one of this pool's and may keep it, else on any.
    /// </summary>
    internal void GoOn(DeferredItem continuation)
    {
        if (!IsManaged)
            AddContinuation(continuation);
        else if (PoolWorker.Current is not { } worker || !ReferenceEquals(worker.Pool, this) || !worker.TryKeep(continuation))
            Push(continuation);
    }

    private void AddContinuation(DeferredItem continuation)
    {
        system.RunLock.Enter();
        AddLast(continuation);
        NeedsPlan = true;
        system.RunLock.Exit();
    }

    /// <summary>Takes the lock, and plans a worker for what is in the inbox.</summary>
    private void Feed()
    {
        system.RunLock.EnterUnsettled();
        NeedsPlan = true;
        system.RunLock.Exit();
    }

    /// <summary>There is no room in the inbox: more is made, and the item goes behind what was there.</summary>
    private void PushLocked(DeferredItem item)
    {
        Inbox.Ring? larger = _entrance.Inbox.MakeLarger();
        system.RunLock.EnterUnsettled();
        Inbox.Rest rest = _entrance.Inbox.Replace(larger);
        while (rest.TryTake(out DeferredItem before))
            Receive(before);
        Receive(item);
        NeedsPlan = true;
        system.RunLock.Exit();
    }

    /// <summary>Run lock: what was pushed goes where it belongs.</summary>
    internal void EmptyInbox()
    {
        if (_entrance.Inbox.IsEmpty)
            return;
        Inbox.Rest rest = _entrance.Inbox.TakeAll();
        while (rest.TryTake(out DeferredItem item))
            Receive(item);
    }

    private void Receive(DeferredItem item)
    {
        if (item.Kind <= ItemKind.Continuation)
            AddLast(item);
        else
            Unsafe.As<Work>(item).Target!.Receive(Unsafe.As<Work>(item));
    }

    internal void AddLast(DeferredItem item)
    {
        system.RunLock.AssertHeld();
        _items.AddLast(item);
    }

    /// <summary>What a worker had taken ahead comes back.</summary>
    internal void AddFirst(DeferredItem continuation) => _items.AddFirst(continuation);

    /// <inheritdoc cref="AddFirst(DeferredItem)"/>
    internal void AddFirst(Work work)
    {
        work.IsQueued = true;
        _items.AddFirst(work);
    }

    internal void AddActiveTied(DeferredItem item) => _items.TakeTied(item);

    /// <summary>The next item for a running worker, or null when it should idle (<c>keep_working</c>), or, at the pool's end, end.</summary>
    internal DeferredItem? NextItem()
    {
        if (!MayWork)
            return null;
        if (_items.IsEmpty)
            EmptyInbox();
        return _items.First;
    }

    private int Limit => maxRunning + _extra;

    private bool MayWork => _running - _making <= Limit || _isShutdown;

    /// <summary>For a rescuer: the first item of its queue, or of those that stand for one (a barrier, a piece of an async run); null when there is none.</summary>
    internal DeferredItem? FirstOf(Workqueue queue)
    {
        for (DeferredItem item = _items.Next!; !ReferenceEquals(item, _items); item = item.Next!)
        {
            if (ReferenceEquals(QueueOf(item), queue))
                return item;
        }

        return null;
    }

    private static Workqueue? QueueOf(DeferredItem item) => item switch
    {
        Work work => work.Queue,
        FlushBarrier barrier => barrier.Queue,
        _ => item.Run?.Queue,
    };

    /// <summary>Whether a worker more is needed, and which: one that idles, now counted as running, or a new one. By <see cref="RunLock.Exit"/>.</summary>
    internal WakePlan PlanWake()
    {
        system.RunLock.AssertHeld();
        NeedsPlan = false;
        while (true)
        {
            // A few that have been pushed may turn out to be nobody's to run now, such as those that their queue has no place for: no worker comes for them.
            if (_items.IsEmpty && _entrance.Inbox.Count is > 0 and <= Stage.Size && MayCome)
                system.RunLock.Settle();
            if (MayCome && HasListed)
            {
                WakePlan plan = Call();
                SetHunger();
                return plan;
            }

            if (!SetHunger())
                return default;
            if (!_entrance.Inbox.IsEmpty)
                continue;

            bool isAlone = false;
            if (system.Monitor is not null || !TryStealAny(ref isAlone))
                return default;
        }
    }

    /// <summary>Something stands in the list or in the inbox.</summary>
    private bool HasListed => !_items.IsEmpty || !_entrance.Inbox.IsEmpty;

    private WakePlan Call()
    {
        if (_idle.First is { } worker)
        {
            RemoveIdle(worker);
            worker.ComesToHelp = _running > 0;
            _arriving++;
            CountRunning(1);
            return new WakePlan(this, worker, null, PlanKind.Wake);
        }

        if (_isStarting)
            return default;
        if (_isRetrying)
            return new WakePlan(this, null, CallRescuers(), PlanKind.Rescue);
        if (_workers >= maxWorkers)
        {
            bool isNews = !_isAtCap;
            _isAtCap = true;
            return new WakePlan(this, null, CallRescuers(), isNews ? PlanKind.CapReached : PlanKind.Rescue);
        }

        _isAtCap = false;
        _isStarting = true;
        _workers++;
        _arriving++;
        _making++;
        CountRunning(1);
        return new WakePlan(this, null, null, PlanKind.Start);
    }

    /// <summary>Another may be sent for. One that idles is not held up by one that is being made: for a while there may be one too many.</summary>
    private bool MayCome => _idle.First is null ? _running < Limit && _arriving == 0 : _running - _making < Limit && _arriving == _making;

    /// <summary>True when it has become more just now: then the inbox is to be looked at once more.</summary>
    private bool SetHunger()
    {
        int hunger = !MayCome ? Full : _running > 0 ? Hungry : Starving;
        if (!IsManaged || hunger == _entrance.Hunger)
            return false;
        bool isMore = hunger > _entrance.Hunger;
        Seam.Write(ref _entrance.Hunger, hunger);
        if (isMore)
            Seam.Fence();
        return isMore;
    }

    /// <summary>A worker is about to idle, that came to help <paramref name="ago"/> ago: was it worth it? Without a monitor nobody may be left waiting.</summary>
    private void Judge(TimeSpan ago)
    {
        _lastPatience = ago < s_worthComing ? Math.Min((4 * _lastPatience) + 8, MostPatience) : 0;
        _entrance.Patience = _lastPatience;
    }

    /// <summary>A worker that was woken or made is about to look at the list.</summary>
    internal void WorkerArrives(PoolWorker worker)
    {
        system.RunLock.AssertHeld();
        _arriving--;
        if (!worker.HasArrived)
            _making--;
        worker.HasArrived = true;
        if (system.Monitor is not null)
            worker.CameAt = Stopwatch.GetTimestamp();
        _busy.Add(worker);
        NeedsPlan = true;
    }

    /// <summary>False when the pool ends and the worker is to end, too.</summary>
    internal bool TryIdle(PoolWorker worker)
    {
        CountRunning(-1);
        _busy.Remove(worker);
        if (system.Monitor is not null && worker.ComesToHelp)
            Judge(Stopwatch.GetElapsedTime(worker.CameAt));
        NeedsPlan = true;
        if (_isShutdown)
        {
            _workers--;
            return false;
        }

        worker.IsIdle = true;
        _idle.Add(worker);
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

    /// <summary>A worker does not count as running any more, or does again: then for a while there may be one too many.</summary>
    internal void CountRunning(int change)
    {
        if (!IsManaged)
            return;
        _running += change;
        NeedsPlan = true;
    }

    /// <summary>Lets idle workers end; those that run end when nothing is left to do.</summary>
    internal void Shutdown()
    {
        system.RunLock.Enter();
        _isShutdown = true;
        PoolWorker? first = _idle.First;
        for (PoolWorker? worker = first; worker is not null; worker = LinkedStack<PoolWorker, PoolWorker.InPool>.After(worker))
        {
            worker.IsIdle = false;
            _arriving++;
            CountRunning(1);
        }

        _idle = default;
        _idleCount = 0;
        system.RunLock.Exit();
        while (first is not null)
        {
            PoolWorker? next = LinkedStack<PoolWorker, PoolWorker.InPool>.After(first);
            first.Unpark();
            first = next;
        }
    }

    private void RemoveIdle(PoolWorker worker)
    {
        _idle.Remove(worker);
        worker.IsIdle = false;
        _idleCount--;
    }

    /// <summary>What producers read and write, on a cache line of its own: workers write the rest.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Entrance
    {
        [FieldOffset(64)]
        internal Inbox Inbox;

        /// <summary>Whether who pushes into the inbox is to send for a worker. Written under the run lock, read without it.</summary>
        [FieldOffset(72)]
        internal int Hunger;

        /// <summary>
        /// So many pushes more do not send for a worker while the pool only could do with one: those that came last found little left to do, so items
        /// are over before help arrives, and waking it costs more than they do. Counted down by pushers without a lock: what two of them take for one is no matter.
        /// </summary>
        [FieldOffset(76)]
        internal int Patience;
    }

    public override string ToString() => $"kworker/{name}: {_workers} workers, {_idleCount} idle, {_running} running";
}
