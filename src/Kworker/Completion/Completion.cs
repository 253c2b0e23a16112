using System.Diagnostics;

namespace Kworker;

/// <summary>
/// Something that others wait for until it is done (<c>struct completion</c>).
/// <para>
/// A counter and a line. <see cref="Complete"/> with somebody waiting lets the first of the line go; with nobody it is kept, and the next
/// wait takes it. <see cref="CompleteAll"/> lets all go, now and from now on, until <see cref="Reinit"/>. Threads and async waiters stand in
/// one line and go in the order in which they came. All members are safe to call from any thread.
/// </para>
/// </summary>
/// <remarks>
/// A kept or given completion goes directly from <see cref="Complete"/> to the first waiter, under the lock: nobody who comes later can take
/// what a waiter was woken for. (The kernel lets the woken task take it from the counter, where another may be faster; with nobody racing the
/// answers are the same.)
/// </remarks>
[DebuggerDisplay("{DebuggerDisplay,nq}")]
public sealed class Completion : IWaitObject
{
    /// <summary>The value of <c>done</c> that means "all, for good": it neither rises nor falls.</summary>
    private const uint Forever = uint.MaxValue;

    /// <summary>The one word that decides: how many are kept, whether somebody waits, and the lock of the line.</summary>
    /// <remarks>
    /// <code>
    /// 0..31  kept completions that nobody has taken yet; above zero only while the line is empty (but for tests that preset it)
    /// 32     Waited: the line is not empty
    /// 33     Locked
    ///
    /// kept n, not waited   → n + 1    Complete, by compare-and-swap alone
    /// kept n > 0           → n - 1    TryWait, by compare-and-swap alone
    /// not locked           → Locked   by whoever changes the line; until it unlocks, nobody else changes the word
    /// Locked               → what the holder says, Waited if it leaves somebody in line; by a plain release
    /// </code>
    /// Wake-up argument: a waiter stands in line, and Waited is set, in the same step in which it was last seen that nothing is kept; and
    /// Complete counts only in a step in which Waited is not set. So either the waiter finds what Complete kept, or Complete finds the waiter.
    /// </remarks>
    private long _state;

    private const long Waited = 1L << 32;
    private const long Locked = 1L << 33;

    /// <summary>Who waits, in order. Lock: <see cref="Locked"/>.</summary>
    private WaiterLine _line;

    /// <summary>
    /// Counts how often the line was emptied as a whole. Who stood in it until then has been claimed by that alone, so that the lock is held no longer for ten thousand than for
    /// one; who claimed them marks each after it, and then nobody else looks at the mark. Lock: <see cref="Locked"/>.
    /// </summary>
    private int _generation;

    /// <summary>The counter, as tests set and see it.</summary>
    internal uint Done
    {
        get => (uint)Seam.Read(in _state);

        set
        {
            Lock();
            Unlock(value);
        }
    }

    /// <summary>
    /// Whether a wait would return at once: something is kept, or <see cref="CompleteAll"/> was called (<c>completion_done</c>).
    /// </summary>
    public bool IsDone => Done != 0;

    /// <summary>Lets the first waiter go; with none, the next wait will not have to (<c>complete</c>). Kept ones are counted.</summary>
    public void Complete()
    {
        long state = Seam.Read(in _state);
        while ((state & (Waited | Locked)) == 0)
        {
            if (state == Forever)
                return;
            long seen = Seam.CompareExchange(ref _state, state + 1, state);
            if (seen == state)
                return;
            state = seen;
        }

        CompleteFirst();
    }

    private void CompleteFirst()
    {
        uint done = Lock();
        if (done != Forever)
            done++;
        Waiter? first = _line.First;
        if (first is not null)
        {
            TakeOne(ref done);
            Claim(first, WakeReason.Woken);
        }

        Unlock(done);
        first?.Resume();
    }

    /// <summary>Lets all waiters go, and all later ones, until <see cref="Reinit"/> (<c>complete_all</c>).</summary>
    public void CompleteAll()
    {
        Lock();
        Waiter? waiter = _line.TakeAll();
        _generation++; // they are claimed
        Unlock(Forever);

        var elsewhere = default(ResumeBlocks);
        while (waiter is not null)
        {
            Waiter? next = waiter.Next;
            waiter.Next = null;
            waiter.Previous = null;
            MarkClaimed(waiter, WakeReason.Woken);
            elsewhere.Resume(waiter);
            waiter = next;
        }

        elsewhere.Close();
    }

    /// <summary>
    /// Forgets what is kept, so that it can be waited for anew (<c>reinit_completion</c>). Call it when nobody waits and everybody whom
    /// <see cref="CompleteAll"/> let go has gone.
    /// </summary>
    public void Reinit() => Done = 0;

    /// <summary>Takes a kept completion if there is one; never waits (<c>try_wait_for_completion</c>).</summary>
    public bool TryWait()
    {
        long state = Seam.Read(in _state);
        while ((state & Locked) == 0)
        {
            if ((uint)state is 0 or Forever)
                return (uint)state != 0;
            long seen = Seam.CompareExchange(ref _state, state - 1, state);
            if (seen == state)
                return true;
            state = seen;
        }

        return TryWaitLocked();
    }

    private bool TryWaitLocked()
    {
        uint done = Lock();
        bool taken = done != 0;
        if (taken)
            TakeOne(ref done);
        Unlock(done);
        return taken;
    }

    /// <summary>Waits until it is this waiter's turn (<c>wait_for_completion</c>). Signals do not end the wait.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public void Wait(CancellationToken cancellationToken = default) =>
        Wait(Timeout.InfiniteTimeSpan, WaitMode.Uninterruptible, cancellationToken);

    /// <summary>
    /// Waits; a signal to the calling kthread that <paramref name="mode"/> admits ends the wait
    /// (<c>wait_for_completion_interruptible</c>, <c>_killable</c>).
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public WaitResult Wait(WaitMode mode, CancellationToken cancellationToken = default) =>
        Wait(Timeout.InfiniteTimeSpan, mode, cancellationToken);

    /// <summary>Waits, but no longer than <paramref name="timeout"/> (<c>wait_for_completion_timeout</c> and its forms).</summary>
    /// <param name="timeout">Zero does not wait; negative waits without limit. On the clock of the current <see cref="KworkerSystem"/>.</param>
    /// <param name="mode">Which signals to the calling kthread end the wait.</param>
    /// <param name="cancellationToken">Ends the wait by an exception.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public WaitResult Wait(TimeSpan timeout, WaitMode mode = WaitMode.Uninterruptible, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (TryWait())
            return WaitResult.Done(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero);
        if (timeout == TimeSpan.Zero)
            return WaitResult.TimedOut;
        KworkerSystem system = KworkerSystem.Current;
        var deadline = new WaitDeadline(system.TimeProvider, timeout);
        ThreadWaiter waiter = ThreadWaiter.Rent();
        if (TryWaitSpinning(waiter))
        {
            waiter.ReturnUnused();
            return WaitResult.Done(deadline.Remaining);
        }

        waiter.Begin(this, mode, exclusive: true);
        if (Enter(waiter) is { } early)
        {
            waiter.Return();
            return early ? WaitResult.Done(deadline.Remaining) : early;
        }

        waiter.StartLimits(this, system, timeout, cancellationToken);
        waiter.BlockAsleep();
        WakeReason reason = waiter.Reason;
        waiter.Return();
        return reason switch
        {
            WakeReason.Woken => WaitResult.Done(deadline.Remaining),
            WakeReason.TimedOut => WaitResult.TimedOut,
            WakeReason.Cancelled => throw new OperationCanceledException(cancellationToken),
            _ => WaitResult.Interrupted,
        };
    }

    /// <summary>The same as <see cref="Wait(CancellationToken)"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public ValueTask WaitAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        if (TryWait())
            return default;
        AsyncWaiter? waiter = EnterAsync(Timeout.InfiniteTimeSpan, WaitMode.Uninterruptible, cancellationToken, out _);
        return waiter is null ? default : waiter.AsUntypedTask();
    }

    /// <summary>The same as <see cref="Wait(WaitMode, CancellationToken)"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public ValueTask<WaitResult> WaitAsync(WaitMode mode, CancellationToken cancellationToken = default) =>
        WaitAsync(Timeout.InfiniteTimeSpan, mode, cancellationToken);

    /// <summary>The same as <see cref="Wait(TimeSpan, WaitMode, CancellationToken)"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was taken.</exception>
    public ValueTask<WaitResult> WaitAsync(
        TimeSpan timeout, WaitMode mode = WaitMode.Uninterruptible, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<WaitResult>(cancellationToken);
        if (TryWait())
            return new(WaitResult.Done(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero));
        if (timeout == TimeSpan.Zero)
            return new(WaitResult.TimedOut);
        AsyncWaiter? waiter = EnterAsync(timeout, mode, cancellationToken, out WaitResult early);
        return waiter is null ? new(early) : waiter.AsTask();
    }

    private AsyncWaiter? EnterAsync(TimeSpan timeout, WaitMode mode, CancellationToken cancellationToken, out WaitResult early)
    {
        KworkerSystem system = KworkerSystem.Current;
        AsyncWaiter waiter = AsyncWaiter.Rent();
        if (timeout > TimeSpan.Zero)
            waiter.Deadline = new WaitDeadline(system.TimeProvider, timeout);
        waiter.Begin(this, mode, exclusive: true);
        if (Enter(waiter) is { } now)
        {
            early = now ? WaitResult.Done(waiter.Deadline.Remaining) : now;
            waiter.Return();
            return null;
        }

        waiter.StartLimits(this, system, timeout, cancellationToken);
        early = default;
        return waiter;
    }

    /// <summary>
    /// Looks for a kept completion a while, before it stands in line: what is handed over so costs a step of each side. Not past others:
    /// when somebody stands in line, or comes to, it goes there, too. Until then it is a waiter that has not come yet.
    /// </summary>
    private bool TryWaitSpinning(ThreadWaiter waiter)
    {
        ref AdaptiveSpin spin = ref waiter.Spin;
        spin.Begin();
        while (waiter.MaySpin && spin.Next())
        {
            long state = Seam.Read(in _state);
            if ((state & Waited) != 0)
                break;
            if ((uint)state != 0 && TryWait())
            {
                spin.Came();
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Takes a kept completion, or says that a signal is pending, or (null) puts the waiter in line. Wake-up argument: whoever completes from
    /// here on finds it there; a signal, the end of the time or a cancelled token takes the lock after us and finds it armed.
    /// </summary>
    private WaitResult? Enter(Waiter waiter)
    {
        WaitResult? early = null;
        uint done = Lock();
        if (done != 0)
        {
            TakeOne(ref done);
            early = WaitResult.Done();
        }
        else if (waiter.HasSignal)
        {
            early = WaitResult.Interrupted;
        }
        else
        {
            _line.AddLast(waiter);
            waiter.IsArmed = true;
            waiter.Generation = _generation;
        }

        Unlock(done);
        return early;
    }

    bool IWaitObject.TryClaim(Waiter waiter, WakeReason reason)
    {
        uint done = Lock();
        bool claimed = false;
        if (waiter.Generation == _generation && waiter.IsArmed && (done != 0 || reason != WakeReason.Process))
        {
            // What is kept is taken even by a waiter that leaves: the kernel looks at the counter once more.
            if (done != 0)
            {
                TakeOne(ref done);
                reason = WakeReason.Woken;
            }

            Claim(waiter, reason);
            claimed = true;
        }

        Unlock(done);
        return claimed;
    }

    private static void TakeOne(ref uint done)
    {
        if (done != Forever)
            done--;
    }

    /// <summary>The lock is held.</summary>
    private void Claim(Waiter waiter, WakeReason reason)
    {
        Debug.Assert((_state & Locked) != 0, "the lock must be held here");
        _line.Remove(waiter);
        MarkClaimed(waiter, reason);
    }

    private static void MarkClaimed(Waiter waiter, WakeReason reason)
    {
        waiter.IsArmed = false;
        waiter.IsClaimed = true;
        waiter.Reason = reason;
    }

    /// <summary>Takes the lock for a handful of instructions; the same rules as for <see cref="Spinlock"/>.</summary>
    /// <returns>How many are kept.</returns>
    private uint Lock()
    {
        long state = Seam.Read(in _state);
        if ((state & Locked) != 0 || Seam.CompareExchange(ref _state, state | Locked, state) != state)
            state = LockContended();
        return (uint)state;
    }

    private long LockContended()
    {
        var spin = new SpinWait();
        while (true)
        {
            long state = Seam.Read(in _state);
            if ((state & Locked) != 0)
                Seam.Spin(ref spin);
            else if (Seam.CompareExchange(ref _state, state | Locked, state) == state)
                return state;
        }
    }

    private void Unlock(uint done) => Seam.Write(ref _state, _line.IsEmpty ? done : done | Waited);

    private string DebuggerDisplay => (uint)_state == Forever ? "done for all" : _line.IsEmpty ? $"done {(uint)_state}" : "waited for";
}
