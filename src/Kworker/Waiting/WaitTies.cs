namespace Kworker;

/// <summary>
/// What some waits have beyond their place in a line: a kthread that waits, a time, a token. Apart from the <see cref="Waiter"/>, so that those without, of which there may be
/// many, are small: what wakes them all reads them from memory.
/// </summary>
internal sealed class WaitTies(Waiter waiter)
{
    private ExpiryNode? _expiry; // the owner's
    private CancellationTokenRegistration _cancellation;
    private TimerBase? _timers;

    /// <summary>Of the kthread's waits. Lock: the kthread's.</summary>
    private StackLinks<Waiter> _linksOfTask;

    internal readonly struct OfTask : IStackRole<Waiter>
    {
        public static ref StackLinks<Waiter> LinksOf(Waiter item) => ref item.Ties!._linksOfTask;
    }

    // Constant during a wait, written by the owner.
    internal IWaitObject? Object { get; private set; }

    internal Kthread? Task { get; private set; }

    internal CancellationToken CancellationToken { get; private set; }

    /// <summary>When the wait began and how long it may take: for what is left at its end. The owner's.</summary>
    internal WaitDeadline Deadline { get; set; }

    /// <summary>How many waits of kthreads it has served, the present one included. Written by the owner.</summary>
    internal int Waits { get; private set; }

    /// <summary>The present wait ends by itself. A look from outside.</summary>
    internal bool HasTimeout => Volatile.Read(ref _timers) is not null;

    internal void Begin(IWaitObject waitObject, Kthread task)
    {
        Object = waitObject;
        Waits++;
        Task = task;
        task.AddWaiter(waiter);
    }

    internal void StartLimits(IWaitObject waitObject, KworkerSystem system, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Object = waitObject;
        CancellationToken = cancellationToken;
        if (timeout >= TimeSpan.Zero)
        {
            _timers = system.Timers;
            if (!ReferenceEquals(_expiry?.Timers, _timers))
                _expiry = new ExpiryNode(this, _timers);
            _timers.Arm(_expiry, timeout);
        }

        if (cancellationToken.CanBeCanceled)
            _cancellation = Seam.OnCancelled(static state => ((WaitTies)state!).End(WakeReason.Cancelled), this, cancellationToken);
    }

    /// <summary>See <see cref="Waiter.Finish"/>.</summary>
    internal void Finish()
    {
        _timers?.CancelSync(_expiry!);
        _timers = null;
        Seam.Forget(_cancellation);
        _cancellation = default;
        CancellationToken = default;
        Deadline = default;
        Task?.RemoveWaiter(waiter);
        Task = null;
        Object = null;
    }

    private void End(WakeReason reason) => waiter.End(Object!, reason);

    private sealed class ExpiryNode(WaitTies ties, TimerBase timers) : TimedItem
    {
        /// <summary>Where it was armed first, and may stand still: it is armed nowhere else.</summary>
        internal TimerBase Timers => timers;

        internal override void Expire() => ties.End(WakeReason.TimedOut);
    }
}
