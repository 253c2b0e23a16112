namespace Kworker;

/// <summary>
/// A work item that can be queued after a delay (<c>struct delayed_work</c>). It never runs early. While its time runs it is pending;
/// cancel takes it back, flush queues it at once. See <see cref="Work"/>.
/// </summary>
public abstract class DelayedWork : Work
{
    /// <summary>Where it goes when its time has come. Written by the owner of Pending before the timer is armed.</summary>
    private Workqueue? _target;

    private protected DelayedWork()
    {
    }

    /// <summary>Queues it on <see cref="Workqueue.System"/> after a delay (<c>schedule_delayed_work</c>); false when it is pending already.</summary>
    /// <param name="delay">Zero or less queues it at once.</param>
    public bool Schedule(TimeSpan delay) => Workqueue.System.Queue(this, delay);

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

        _target = target;
        target.OwningSystem.Timers.Arm(this, delay);
    }

    internal override void Expire()
    {
        // The timer's thread owns Pending now. The queue may be gone or draining: then there is nobody to throw to, and nothing may be lost silently.
        if (!_target!.TryEnqueue(this))
            _target.Report(this, _target.RefusalOf(this));
    }

    private protected override bool TryDisarm() => BoundSystem is { } system && system.Timers.Cancel(this);

    private protected override bool IsTimeRunning => Volatile.Read(ref IsArmed);

    private protected override bool Expedite()
    {
        // A firing that has begun is waited out: it ends with the item in the queue, where flush finds it.
        if (BoundSystem is not { } system || !system.Timers.CancelSync(this))
            return false;
        Expire();
        return true;
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
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>An item with an async function: while it awaits it holds no worker, what follows runs on the queue's workers.</summary>
    /// <param name="owner">Given to the function each time.</param>
    /// <param name="function">Counts as running, once, until its task is done. The token is cancelled by <see cref="Work.CancelSync"/>.</param>
    public DelayedWork(TOwner owner, Func<TOwner, CancellationToken, ValueTask> function)
    {
        Owner = owner;
        _function = new WorkFunction<TOwner>(function);
    }

    /// <summary>What the function works on.</summary>
    public TOwner Owner { get; }

    internal override string FunctionName => _function.Name;

    internal override bool IsAsync => _function.IsAsync;

    internal override void Execute() => _function.Run(Owner);

    internal override ValueTask ExecuteAsync() => _function.RunAsync(Owner, NewToken());
}
