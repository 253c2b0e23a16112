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
internal enum WakeReason : byte
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

    /// <summary>Made when first needed, and kept: see <see cref="IsTied"/>. The owner's.</summary>
    private WaitTies? _ties;

    private int _flags; // sticky: TimedOut, Cancelled; set before TryClaim, so that an owner that arms afterwards sees them

    private const int TimedOutFlag = 1;
    private const int CancelledFlag = 2;

    /// <summary>Of a completion's line: see <see cref="Completion"/>. Lock: the object's.</summary>
    internal int Generation;

    /// <summary>Lock: the object's.</summary>
    internal bool IsArmed;

    /// <summary>Taken by somebody who resumes it or has. Set under the object's lock, cleared by the owner.</summary>
    internal bool IsClaimed;

    // Constant during a wait, written by the owner.
    internal bool IsExclusive;
    private byte _mode;

    /// <summary>Valid while claimed.</summary>
    internal WakeReason Reason;

    internal WaitMode Mode => (WaitMode)_mode;

    /// <summary>The present wait has more to it than its line: a kthread that waits, a time, a token. The owner's.</summary>
    protected bool IsTied { get; private set; }

    /// <summary>See <see cref="IsTied"/>; null when nothing was tied to any wait of it so far.</summary>
    internal WaitTies? Ties => Volatile.Read(ref _ties);

    internal bool IsQueued => Next is not null;

    internal bool HasTimedOut => (Seam.Read(in _flags) & TimedOutFlag) != 0;

    internal bool IsCancelled => (Seam.Read(in _flags) & CancelledFlag) != 0;

    /// <summary>A signal is pending that ends a wait of this mode. Read under the object's lock, after registration with the kthread.</summary>
    internal bool HasSignal => IsTied && _ties!.Task is { } task && task.HasSignalFor(Mode);

    /// <summary>Lets the owner go on. By who claimed it, once, with no lock held.</summary>
    internal abstract void Resume();

    /// <summary>The owner begins a wait: from here a signal to its kthread reaches it.</summary>
    internal void Begin(IWaitObject waitObject, WaitMode mode, bool exclusive)
    {
        Debug.Assert(!IsArmed && !IsClaimed && !IsQueued, "a waiter serves one wait at a time");
        _mode = (byte)mode;
        IsExclusive = exclusive;
        _flags = 0;
        if (Listeners.Stacks)
            WaitStacks.Note(this);
        if (Kthread.Current is { } task)
            Tie().Begin(waitObject, task);
    }

    /// <summary>From here time and token may end the wait.</summary>
    internal void StartLimits(IWaitObject waitObject, KworkerSystem system, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout >= TimeSpan.Zero || cancellationToken.CanBeCanceled)
            Tie().StartLimits(waitObject, system, timeout, cancellationToken);
    }

    /// <summary>By the owner: the present wait has more to it.</summary>
    protected WaitTies Tie()
    {
        IsTied = true;
        if (_ties is null)
            Volatile.Write(ref _ties, new WaitTies(this));
        return _ties;
    }

    /// <summary>The owner's wait is over. Afterwards nobody calls in any more: timer and registration are waited out.</summary>
    internal void Finish()
    {
        Debug.Assert(!IsArmed && !IsClaimed && !IsQueued, "the object let go of it");
        if (!IsTied)
            return;
        _ties!.Finish();
        IsTied = false;
    }

    /// <summary>By what is tied to it: its time is over, or its token was cancelled.</summary>
    internal void End(IWaitObject waitObject, WakeReason reason)
    {
        Seam.Or(ref _flags, reason == WakeReason.TimedOut ? TimedOutFlag : CancelledFlag);
        if (waitObject.TryClaim(this, reason))
            Resume();
    }
}

/// <summary>Waiters claimed by one wake-up, to be resumed in the order in which they were claimed, after the lock. Linked by <c>NextToResume</c>.</summary>
internal struct WakeList
{
    private Waiter? _first;
    private Waiter? _last;

    internal void Add(Waiter waiter)
    {
        if (_last is null)
            _first = waiter;
        else
            _last.NextToResume = waiter;
        _last = waiter;
    }

    internal readonly void ResumeAll()
    {
        var elsewhere = default(ResumeBlocks);
        Waiter? waiter = _first;
        while (waiter is not null)
        {
            Waiter? next = waiter.NextToResume; // before it goes on: afterwards it is its owner's again
            waiter.NextToResume = null;
            elsewhere.Resume(waiter);
            waiter = next;
        }

        elsewhere.Close();
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
