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
    private Stage? _stages; // those that hold items
    private PoolWorker? _idle; // the latest to become idle first: its caches are warm
    private int _idleCount;
    private int _workers;
    private PoolWorker? _busy; // those that do not idle
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
        if (item.Kind == ItemKind.Other)
            AddLast(item);
        else
            Unsafe.As<Work>(item).Target!.Receive(Unsafe.As<Work>(item));
    }

    internal void AddLast(DeferredItem item)
    {
        system.RunLock.AssertHeld();
        _items.AddLast(item);
    }

    /// <summary>An item that a worker had taken ahead comes back.</summary>
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

    /// <summary>
    /// Fills a worker's empty stage with what it may take ahead, from the list, or, when that is empty, from the inbox: its share, so that others find something, too.
    /// False when there is nothing, or the first item must be begun under the lock.
    /// </summary>
    internal bool TryFill(Stage stage)
    {
        if (!IsManaged || !MayWork)
            return false;
        if (_items.IsEmpty ? !TryFillFromInbox(stage) : !TryFillFromList(stage))
            return false;
        if (!stage.IsListed)
            List(stage);
        return true;
    }

    private bool TryFillFromList(Stage stage)
    {
        int available = 0;
        DeferredItem item = _items.Next!;
        while (available < 2 * Stage.Size && item.Kind == ItemKind.PlainWork && Unsafe.As<Work>(item).MayBeStaged)
        {
            available++;
            item = item.Next!;
        }

        if (available == 0)
            return false;
        for (int taken = ShareOf(available); taken > 0; taken--)
            stage.Add(Unsafe.As<Work>(_items.TakeFirst()!));
        return true;
    }

    /// <summary>
    /// The short way of <see cref="EmptyInbox"/> and <see cref="TryFillFromList"/>. What stands behind what has been taken stays where it is.
    /// </summary>
    private bool TryFillFromInbox(Stage stage)
    {
        int count = _entrance.Inbox.Count;
        for (int share = ShareOf(count); share > 0 && _entrance.Inbox.TryTake() is { } item; share--)
        {
            if (item.Kind == ItemKind.PlainWork && Unsafe.As<Work>(item).Target!.TryReceive(Unsafe.As<Work>(item), stage))
                continue;
            Receive(item);
            break; // in order: what comes behind it is not begun before it
        }

        if (count > 1)
            NeedsPlan = true; // others may help
        return stage.Count != 0;
    }

    private void List(Stage stage)
    {
        stage.IsListed = true;
        stage.PreviousStage = null;
        stage.NextStage = _stages;
        if (_stages is not null)
            _stages.PreviousStage = stage;
        _stages = stage;
    }

    /// <summary>How many of so many items a worker takes ahead: half, while another might come for the rest; one, if it will probably block.</summary>
    private int ShareOf(int available) => _extra > 0 ? 1 : Math.Min(_running >= Limit ? available : (available + 1) / 2, Stage.Size);

    /// <summary>A worker's stage is done with.</summary>
    internal void Forget(Stage stage)
    {
        if (stage.PreviousStage is null)
            _stages = stage.NextStage;
        else
            stage.PreviousStage.NextStage = stage.NextStage;
        if (stage.NextStage is not null)
            stage.NextStage.PreviousStage = stage.PreviousStage;
        stage.NextStage = null;
        stage.PreviousStage = null;
        stage.IsListed = false;
    }

    /// <summary>Accounts for all runs that have ended in stages.</summary>
    internal void SettleStages()
    {
        for (Stage? stage = _stages; stage is not null; stage = stage.NextStage)
            stage.Settle();
    }

    /// <summary>For a worker that finds nothing to do: takes what another has taken ahead and not begun; true when there is something in the list now.</summary>
    /// <param name="isAlone">A worker that goes on has a single one: ask again.</param>
    internal bool TrySteal(out bool isAlone)
    {
        isAlone = false;
        return MayWork && TryStealAny(ref isAlone);
    }

    private bool TryStealAny(ref bool isAlone)
    {
        for (Stage? stage = _stages; stage is not null; stage = stage.NextStage)
        {
            if (stage.TrySteal(ref isAlone))
                return true;
        }

        return false;
    }

    /// <summary>
    /// By a running worker, without the lock: whether what its function queues may stand behind it, unseen by others. It may if nothing has been waiting for longer,
    /// and as many run as may, or one is on its way, who will look for it; or if help is not wanted for a while (<see cref="Entrance.Patience"/>).
    /// </summary>
    internal bool MayChain()
    {
        if (HasListed)
            return false;
        int hunger = Seam.Read(in _entrance.Hunger);
        if (hunger == Full)
            return true;
        if (_entrance.Patience <= 0)
            return false;
        _entrance.Patience--;
        return true;
    }

    /// <summary>
    /// By the worker that has chained an item, where there is no monitor. The last of the others may have gone to idle without having seen it; who goes looks at the
    /// stages after it has said that the pool is hungry: so one of the two sees the other.
    /// </summary>
    internal void Offer(Stage stage)
    {
        Seam.Fence();
        if (Seam.Read(in _entrance.Hunger) == Full)
            return;
        system.RunLock.Enter();
        stage.Return(half: false);
        NeedsPlan = true;
        system.RunLock.Exit();
    }

    /// <summary>Whether a worker more is needed, and which: one that idles, now counted as running, or a new one. By <see cref="RunLock.Exit"/>.</summary>
    internal WakePlan PlanWake()
    {
        system.RunLock.AssertHeld();
        NeedsPlan = false;
        while (true)
        {
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
        if (_idle is { } worker)
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
    private bool MayCome => _idle is null ? _running < Limit && _arriving == 0 : _running - _making < Limit && _arriving == _making;

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

    /// <summary>The rescuers of queues with items in the list, to be woken.</summary>
    private Rescuer? CallRescuers()
    {
        EmptyInbox();
        Rescuer? called = null;
        for (DeferredItem item = _items.Next!; !ReferenceEquals(item, _items); item = item.Next!)
        {
            if (QueueOf(item) is { Rescuer: { } rescuer } && rescuer.Call())
            {
                rescuer.NextCalled = called;
                called = rescuer;
            }
        }

        return called;
    }

    /// <summary>Without the lock: wakes those that <see cref="CallRescuers"/> returned.</summary>
    internal void Rescue(Rescuer? called)
    {
        while (called is not null)
        {
            Rescuer? next = called.NextCalled;
            called.NextCalled = null;
            system.Counters.AddRescue();
            TracePoints.Rescued(called.QueueName);
            called.Wake();
            called = next;
        }
    }

    /// <summary>Without the lock: the bound on workers was reached.</summary>
    internal void ReportCap()
    {
        system.Counters.AddCapReached();
        TracePoints.CapReached(name, maxWorkers);
        system.Log($"kworker/{name}: {maxWorkers} workers, and work waits: no more are made.");
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
        worker.PreviousBusy = null;
        worker.NextBusy = _busy;
        if (_busy is not null)
            _busy.PreviousBusy = worker;
        _busy = worker;
        NeedsPlan = true;
    }

    private void RemoveBusy(PoolWorker worker)
    {
        if (worker.PreviousBusy is null)
            _busy = worker.NextBusy;
        else
            worker.PreviousBusy.NextBusy = worker.NextBusy;
        if (worker.NextBusy is not null)
            worker.NextBusy.PreviousBusy = worker.PreviousBusy;
        worker.NextBusy = null;
        worker.PreviousBusy = null;
    }

    /// <summary>
    /// By the monitor, without the lock: counts out workers that have not moved since the last look and sleep, while work waits, and counts in again those that
    /// run after all.
    /// </summary>
    internal PoolActivity Look()
    {
        if (Volatile.Read(ref _busy) is null)
            return PoolActivity.None;
        system.RunLock.EnterUnsettled();
        bool waits = HasListed;
        for (Stage? stage = _stages; stage is not null && !waits; stage = stage.NextStage)
            waits = stage.HasWaiting;
        int suspects = 0;
        int recovering = 0;
        for (PoolWorker? worker = _busy; worker is not null; worker = worker.NextBusy)
        {
            worker.NoteLook();
            if (worker.Stands && MayCome && worker.Stage.HasWaiting && worker.Stage.Return(half: true))
                NeedsPlan = true; // it computes: another, who did not come because items used to be short, is to take what stands behind it
            if (worker.IsDetected)
            {
                if (recovering < MaxSuspects)
                    _recovering[recovering++] = worker;
            }
            else if (waits && worker.CountsAsRunning && worker.IsInside && suspects < MaxSuspects)
            {
                _suspects[suspects++] = worker;
            }
        }

        if (waits && MayCome)
            NeedsPlan = true;
        if (!waits)
            _extra = 0;
        bool wasExtra = _extra > 0;
        system.RunLock.Exit();

        int blocked = 0;
        int computing = 0;
        for (int i = 0; i < suspects; i++)
        {
            PoolWorker worker = _suspects[i]!;
            _suspects[i] = null;
            if (worker.SleepsOn(out bool isAsleep))
                blocked += worker.TryDetect() ? 1 : 0;
            else if (!isAsleep && worker.Stands)
                computing++;
        }

        for (int i = 0; i < recovering; i++)
        {
            PoolWorker worker = _recovering[i]!;
            _recovering[i] = null;
            if (!worker.IsAsleep)
                worker.Undetect();
        }

        if (blocked + computing > 0)
        {
            // If all that stand still block, so probably does what waits: with one worker for each that was found, a thousand would take seconds. One that
            // computes ends that.
            system.RunLock.Enter();
            _extra = computing == 0 ? Math.Max(_extra, Math.Min(4 * blocked, MaxSuspects)) : 0;
            NeedsPlan = true;
            system.RunLock.Exit();
            return _extra > 0 ? PoolActivity.AllBlocked : PoolActivity.Some;
        }

        return wasExtra ? PoolActivity.AllBlocked : PoolActivity.Some;
    }

    /// <summary>So many workers are looked at closely in one look.</summary>
    private const int MaxSuspects = 256;

    // The monitor's own.
    private readonly PoolWorker?[] _suspects = new PoolWorker?[MaxSuspects];
    private readonly PoolWorker?[] _recovering = new PoolWorker?[MaxSuspects];

    /// <summary>False when the pool ends and the worker is to end, too.</summary>
    internal bool TryIdle(PoolWorker worker)
    {
        CountRunning(-1);
        RemoveBusy(worker);
        if (system.Monitor is not null && worker.ComesToHelp)
            Judge(Stopwatch.GetElapsedTime(worker.CameAt));
        NeedsPlan = true;
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

    /// <summary>A worker does not count as running any more, or does again: then for a while there may be one too many.</summary>
    internal void CountRunning(int change)
    {
        if (!IsManaged)
            return;
        _running += change;
        NeedsPlan = true;
    }

    /// <summary>Makes the thread that a plan asked for. On failure the work stays, rescuers are called, and after a while another attempt is made.</summary>
    internal void StartWorker()
    {
        var worker = new PoolWorker(this, $"kworker/{name}:{Interlocked.Increment(ref _made) - 1}");
        Exception? failure = null;
        try
        {
            system.BeforeThread?.Invoke(worker.Name);
            worker.Start(Priority);
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            failure = e;
        }

        system.RunLock.Enter();
        _isStarting = false;
        NeedsPlan = true; // for what was added while the thread was being made
        Rescuer? called = null;
        if (failure is not null)
        {
            _workers--;
            _arriving--;
            _making--;
            CountRunning(-1);
            NeedsPlan = false; // not at once
            SetHunger();
            called = CallRescuers();
            _isRetrying = true;
        }

        system.RunLock.Exit();
        Rescue(called);
        if (failure is null)
            return;
        system.Counters.AddThreadFailed();
        TracePoints.ThreadFailed(name, failure);
        system.Log($"kworker: no thread for {worker.Name}: {failure.Message}");
        try
        {
            system.Timers.Arm(new Retry(this), s_retryAfter);
        }
        catch (OutOfMemoryException)
        {
            TryAgainWithNext(); // not even a thread for the timers: the next item that comes makes the next attempt
        }
    }

    private void TryAgainWithNext()
    {
        system.RunLock.Enter();
        _isRetrying = false;
        system.RunLock.Exit();
    }

    private void TryAgain()
    {
        system.RunLock.Enter();
        _isRetrying = false;
        NeedsPlan = true;
        system.RunLock.Exit();
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

    private sealed class Retry(WorkerPool pool) : TimedItem
    {
        internal override void Expire() => pool.TryAgain();
    }

    public override string ToString() => $"kworker/{name}: {_workers} workers, {_idleCount} idle, {_running} running";
}
