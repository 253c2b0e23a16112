using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// A work item that can be queued after a delay (<c>struct delayed_work</c>). It never runs early. While its time runs it is pending;
/// cancel takes it back, flush queues it at once. See <see cref="Work"/>.
/// </summary>
public abstract class DelayedWork : Work
{
    /// <summary>Somebody owns it, or nobody may.</summary>
    private const long Taken = ItemState.Pending | ItemState.DisabledMask;

    private TimerEntry _timer;

    private protected DelayedWork(ItemKind kind)
        : base(kind)
    {
    }

    internal sealed override ref TimerEntry Timer => ref _timer;

    /// <summary>Queues it on <see cref="Workqueue.System"/> after a delay (<c>schedule_delayed_work</c>); false when it is pending already.</summary>
    /// <param name="delay">Zero or less queues it at once.</param>
    public bool Schedule(TimeSpan delay) => Workqueue.System.Queue(this, delay);

    /// <summary>What <see cref="Workqueue.Queue(DelayedWork, TimeSpan)"/> does.</summary>
    internal bool QueueOn(Workqueue target, TimeSpan delay)
    {
        if (CanArm(target, delay))
            return TryArm(target, delay, modify: false, out _);
        if (!TryTakePending())
            return false;
        Start(target, delay);
        return true;
    }

    /// <summary>What <see cref="Workqueue.Modify"/> does.</summary>
    internal bool ModifyOn(Workqueue target, TimeSpan delay)
    {
        if (CanArm(target, delay) && TryArm(target, delay, modify: true, out bool wasPending))
            return wasPending;
        Grab grab = TryGrab();
        if (grab == Grab.Cancelling)
            return true;
        if (IsDisabled)
            ReleasePending();
        else
            Start(target, delay);
        return grab != Grab.WasIdle;
    }

    /// <summary>By the owner of Pending: into the wheel, or with no delay into the queue.</summary>
    internal void Start(Workqueue target, TimeSpan delay)
    {
        BindTo(target.OwningSystem);
        if (delay <= TimeSpan.Zero)
        {
            target.Enqueue(this);
            return;
        }

        if (target.IsDisposed)
        {
            Exception refusal = target.RefusalOf(this);
            ReleasePending();
            throw refusal;
        }

        Target = target;
        if (target.FlowsContext)
            WorkContexts.Capture(this);
        if (WorkActivities.AreListenedTo)
            WorkActivities.Queued(this);
        target.OwningSystem.Timers.Arm(this, delay);
    }

    internal override void Expire()
    {
        // The timer's thread owns Pending now. The queue may be gone or draining: then there is nobody to throw to, and nothing may be lost silently.
        if (!Target!.TryEnqueue(this, isDue: true))
            Target.Report(this, Target.RefusalOf(this));
    }

    private protected override bool TryDisarm()
    {
        bool taken = BoundSystem is { } system && system.Timers.Cancel(this);
        if (taken && Listeners.Timer)
            TracePoints.TimerCancelled(this);
        return taken;
    }

    private protected override bool TryCancelTime()
    {
        if (!TimerArming.TryDisarm(this, ItemState.Pending, out bool tell))
            return false;
        BoundSystem!.Timers.Disarmed(this, tell);
        if (Listeners.Timer)
            TracePoints.TimerCancelled(this);
        return true;
    }

    private protected override bool IsTimeRunning => TimerArming.IsArmed(Seam.Read(in State));

    private protected override bool Expedite()
    {
        // A firing that has begun is waited out: it ends with the item in the queue, where flush finds it.
        if (BoundSystem is not { } system || !system.Timers.CancelSync(this))
            return false;
        Expire();
        return true;
    }

    /// <summary>Queues it at once if its time runs; false when it does not.</summary>
    internal bool TryExpedite() => Expedite();

    /// <summary>Whether nothing is to be done but to arm it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool CanArm(Workqueue target, TimeSpan delay) =>
        delay > TimeSpan.Zero && ReferenceEquals(BoundSystem, target.OwningSystem) && target.MayArmDirectly && !WorkActivities.AreListenedTo;

    /// <summary>From idle to armed in one step, or from armed to armed anew. False when it is in another state.</summary>
    private bool TryArm(Workqueue target, TimeSpan delay, bool modify, out bool wasPending)
    {
        TimerBase timers = target.OwningSystem.Timers;
        wasPending = false;
        long state = Seam.Read(in State);
        if ((state & Taken) != 0 && !modify)
            return false;
        long expires = timers.ExpiryOf(delay, out bool program);
        while (true)
        {
            wasPending = (state & ItemState.Pending) != 0;
            if ((state & Taken) != 0 && !(modify && TimerArming.HasLanded(this, state)))
                break;
            long armed = TimerArming.Arm(state) | ItemState.Pending;
            long seen = Seam.CompareExchange(ref State, armed, state);
            if (seen == state)
            {
                if (!ReferenceEquals(Target, target))
                    Target = target; // before it lands: who fires or disarms it reads it after
                if (timers.Land(this, ref _timer, expires, armed) || program)
                    timers.Program();
                if (Listeners.Timer)
                    TracePoints.TimerStarted(this, timers.Now, delay);
                return true;
            }

            state = seen;
        }

        if (program)
            timers.Program();
        return false;
    }
}

/// <summary>A delayed work item of an owner.</summary>
/// <typeparam name="TOwner">What the function works on.</typeparam>
public sealed class DelayedWork<TOwner> : DelayedWork
{
    private readonly WorkFunction<TOwner> _function;

    /// <summary>An item with a plain function.</summary>
    /// <param name="owner">Given to the function each time.</param>
    /// <param name="function">Run on a worker of the queue. An exception that leaves it goes to <see cref="Workqueue.UnhandledException"/>.</param>
    public DelayedWork(TOwner owner, Action<TOwner> function)
        : base(ItemKind.PlainWork)
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>An item with an async function: while it awaits it holds no worker, what follows runs on the queue's workers.</summary>
    /// <param name="owner">Given to the function each time.</param>
    /// <param name="function">Counts as running, once, until its task is done. The token is cancelled by <see cref="Work.CancelSync"/>.</param>
    public DelayedWork(TOwner owner, Func<TOwner, CancellationToken, ValueTask> function)
        : base(ItemKind.AsyncWork)
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>What the function works on.</summary>
    public TOwner Owner { get; }

    internal override string FunctionName => Owner is INamedWork named ? named.WorkName : _function.Name;

    internal override void Execute() => _function.Run(Owner);

    internal override ValueTask ExecuteAsync() => _function.RunAsync(Owner, NewToken());
}
