using System.Diagnostics;

namespace Kworker;

/// <summary>What can be waited for: a <see cref="Completion"/> or a <see cref="WaitQueue"/>, seen from what ends a wait from outside.</summary>
internal interface IWaitObject
{
    /// <summary>
    /// Takes the wake-up of <paramref name="waiter"/> if nobody else has: under the object's lock, armed → claimed.
    /// True when the caller has it, and then it must call <see cref="Waiter.Resume"/>, once, after letting go of its locks.
    /// </summary>
    bool TryClaim(Waiter waiter, WakeReason reason);
}

/// <summary>Why a waiter was woken.</summary>
internal enum WakeReason
{
    /// <summary>By the object: what was waited for came, or may have come.</summary>
    Woken,

    /// <summary>By <see cref="Kthread.WakeUp"/>: it looks again.</summary>
    Process,

    /// <summary>A signal is pending.</summary>
    Signalled,

    /// <summary>The time is over.</summary>
    TimedOut,

    /// <summary>The token was cancelled.</summary>
    Cancelled,
}

/// <summary>
/// One wait in progress, of a thread or of an async method: both stand in the same line.
/// <para>
/// States: idle → armed (by its owner, under the object's lock) → claimed (by whoever ends the wait, under the same lock, once) → resumed
/// (by the same, after it has let go of the lock) → idle (by the owner, when it has taken notice). The owner never reuses the waiter
/// between claimed and resumed, so who claimed it may keep it in a list of its own until then.
/// </para>
/// </summary>
internal abstract class Waiter
{
    // Links of the object's line. Lock: the object's.
    internal Waiter? Next;
    internal Waiter? Previous;

    /// <summary>The next one that the same wake-up resumes. Written by who claimed it.</summary>
    internal Waiter? NextToResume;

    /// <summary>Of the kthread's waits. Lock: the kthread's.</summary>
    private StackLinks<Waiter> _linksOfTask;

    internal readonly struct OfTask : IStackRole<Waiter>
    {
        public static ref StackLinks<Waiter> LinksOf(Waiter item) => ref item._linksOfTask;
    }

    private ExpiryNode? _expiry; // the owner's
    private CancellationTokenRegistration _cancellation;
    private TimerBase? _timers;
    private int _flags; // sticky: TimedOut, Cancelled; set before TryClaim, so that an owner that arms afterwards sees them

    private const int TimedOutFlag = 1;
    private const int CancelledFlag = 2;

    /// <summary>Lock: the object's.</summary>
    internal bool IsArmed;

    /// <summary>Taken by somebody who resumes it or has. Set under the object's lock, cleared by the owner.</summary>
    internal bool IsClaimed;

    /// <summary>Valid while claimed.</summary>
    internal WakeReason Reason;

    // Constant during a wait, written by the owner.
    internal IWaitObject? Object;
    internal WaitMode Mode;
    internal bool IsExclusive;
    internal Kthread? Task;

    /// <summary>How many waits it has served, the present one included. Written by the owner.</summary>
    internal int Waits { get; private set; }

    /// <summary>The present wait ends by itself. A look from outside.</summary>
    internal bool HasTimeout => Volatile.Read(ref _timers) is not null;

    internal bool IsQueued => Next is not null;

    internal bool HasTimedOut => (Seam.Read(in _flags) & TimedOutFlag) != 0;

    internal bool IsCancelled => (Seam.Read(in _flags) & CancelledFlag) != 0;

    internal CancellationToken CancellationToken { get; private set; }

    /// <summary>A signal is pending that ends a wait of this mode. Read under the object's lock, after registration with the kthread.</summary>
    internal bool HasSignal => Task is { } task && task.HasSignalFor(Mode);

    /// <summary>Lets the owner go on. By who claimed it, once, with no lock held.</summary>
    internal abstract void Resume();

    /// <summary>
    /// It goes on outside of this library, and is ready to: who wakes several may leave it to a <see cref="ResumeRun"/>. By who claimed it.
    /// </summary>
    internal virtual bool IsReadyElsewhere => false;

    /// <summary>The owner begins a wait: from here a signal to its kthread reaches it.</summary>
    internal void Begin(IWaitObject waitObject, WaitMode mode, bool exclusive)
    {
        Debug.Assert(!IsArmed && !IsClaimed && !IsQueued, "a waiter serves one wait at a time");
        Object = waitObject;
        Mode = mode;
        IsExclusive = exclusive;
        _flags = 0;
        Waits++;
        if (Listeners.Stacks)
            WaitStacks.Note(this);
        Task = Kthread.Current;
        Task?.AddWaiter(this);
    }

    /// <summary>From here time and token may end the wait.</summary>
    internal void StartLimits(KworkerSystem system, TimeSpan timeout, CancellationToken cancellationToken)
    {
        CancellationToken = cancellationToken;
        if (timeout >= TimeSpan.Zero)
        {
            _timers = system.Timers;
            if (!ReferenceEquals(_expiry?.Timers, _timers))
                _expiry = new ExpiryNode(this, _timers);
            _timers.Arm(_expiry, timeout);
        }

        if (cancellationToken.CanBeCanceled)
            _cancellation = Seam.OnCancelled(static state => ((Waiter)state!).End(WakeReason.Cancelled), this, cancellationToken);
    }

    /// <summary>The owner's wait is over. Afterwards nobody calls in any more: timer and registration are waited out.</summary>
    internal void Finish()
    {
        Debug.Assert(!IsArmed && !IsClaimed && !IsQueued, "the object let go of it");
        _timers?.CancelSync(_expiry!);
        _timers = null;
        Seam.Forget(_cancellation);
        _cancellation = default;
        CancellationToken = default;
        Task?.RemoveWaiter(this);
        Task = null;
        Object = null;
    }

    private void End(WakeReason reason)
    {
        Seam.Or(ref _flags, reason == WakeReason.TimedOut ? TimedOutFlag : CancelledFlag);
        if (Object!.TryClaim(this, reason))
            Resume();
    }

    private sealed class ExpiryNode(Waiter waiter, TimerBase timers) : TimedItem
    {
        /// <summary>Where it was armed first, and may stand still: it is armed nowhere else.</summary>
        internal TimerBase Timers => timers;

        internal override void Expire() => waiter.End(WakeReason.TimedOut);
    }
}

/// <summary>Waiters claimed by one wake-up, to be resumed in the order in which they were claimed, after the lock. Linked by <c>NextToResume</c>.</summary>
internal struct WakeList
{
    private Waiter? _first;
    private Waiter? _last;
    private Waiter? _firstElsewhere; // those that are ready elsewhere
    private Waiter? _lastElsewhere;

    internal void Add(Waiter waiter)
    {
        if (waiter.IsReadyElsewhere)
            Append(ref _firstElsewhere, ref _lastElsewhere, waiter);
        else
            Append(ref _first, ref _last, waiter);
    }

    internal readonly void ResumeAll()
    {
        Waiter? waiter = _first;
        while (waiter is not null)
        {
            Waiter? next = waiter.NextToResume; // before it goes on: afterwards it is its owner's again
            waiter.NextToResume = null;
            waiter.Resume();
            waiter = next;
        }

        if (_firstElsewhere is not null)
            ResumeRun.Queue((AsyncWaiter)_firstElsewhere);
    }

    private static void Append(ref Waiter? first, ref Waiter? last, Waiter waiter)
    {
        if (last is null)
            first = waiter;
        else
            last.NextToResume = waiter;
        last = waiter;
    }
}

/// <summary>A line of waiters: circular, one word while nobody waits. Lock: that of the object that it belongs to.</summary>
internal struct WaiterLine
{
    private Waiter? _first;

    internal readonly bool IsEmpty => _first is null;

    /// <summary>For a look without the lock, after a fence.</summary>
    internal readonly bool SeemsEmpty => Seam.Read(in _first) is null;

    internal readonly Waiter? First => _first;

    /// <summary>The one behind <paramref name="waiter"/>; null at the end.</summary>
    internal readonly Waiter? After(Waiter waiter) => ReferenceEquals(waiter.Next, _first) ? null : waiter.Next;

    internal void AddLast(Waiter waiter)
    {
        if (_first is null)
        {
            waiter.Next = waiter;
            waiter.Previous = waiter;
            _first = waiter;
            return;
        }

        waiter.Next = _first;
        waiter.Previous = _first.Previous;
        _first.Previous!.Next = waiter;
        _first.Previous = waiter;
    }

    internal void AddFirst(Waiter waiter)
    {
        AddLast(waiter);
        _first = waiter;
    }

    /// <summary>Empties the line. Those who stood in it are still linked by <c>Next</c>, the last one to null; the caller clears their links.</summary>
    internal Waiter? TakeAll()
    {
        Waiter? first = _first;
        if (first is not null)
            first.Previous!.Next = null;
        _first = null;
        return first;
    }

    internal void Remove(Waiter waiter)
    {
        if (ReferenceEquals(waiter.Next, waiter))
        {
            _first = null;
        }
        else
        {
            waiter.Next!.Previous = waiter.Previous;
            waiter.Previous!.Next = waiter.Next;
            if (ReferenceEquals(_first, waiter))
                _first = waiter.Next;
        }

        waiter.Next = null;
        waiter.Previous = null;
    }
}
