using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// A line of those who wait until a condition holds (<c>wait_queue_head_t</c>).
/// <para>
/// The condition is any code of the waiter's; who changes what it looks at calls <c>WakeUp</c> afterwards, and each woken
/// waiter looks again. <see cref="WakeUp"/> wakes all non-exclusive waiters and a number of exclusive ones. A non-exclusive waiter goes in
/// front of the line, an exclusive one to its end, and one that was woken and finds its condition false stands in line anew.
/// Threads and async waiters stand in one line. All members are safe to call from any thread.
/// </para>
/// </summary>
/// <remarks>
/// Why no wake-up is lost: a waiter stands in line and is armed before it looks at its condition, with a full fence between; who
/// changes the condition does so before it looks at the line, with a full fence between. So either the waiter sees the change, or the other
/// sees the waiter and wakes it. A waiter that was woken while it looks goes on to look once more.
/// </remarks>
[DebuggerDisplay("{IsActive ? \"waited on\" : \"nobody waits\",nq}")]
public sealed class WaitQueue : IWaitObject
{
    private Spinlock _lock;

    /// <summary>Who waits: non-exclusive ones from the latest to the first, then exclusive ones from the first to the latest. Lock: <c>_lock</c>.</summary>
    private WaiterLine _line;

    /// <summary>Whether somebody stands in line (<c>waitqueue_active</c>).</summary>
    public bool IsActive
    {
        get
        {
            Seam.Fence();
            return !_line.SeemsEmpty;
        }
    }

    /// <summary>Wakes all non-exclusive waiters and <paramref name="count"/> exclusive ones (<c>wake_up</c>, <c>wake_up_nr</c>).</summary>
    /// <param name="count">How many exclusive ones; 0 wakes all.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public void WakeUp(int count = 1) => Wake(count, interruptibleOnly: false);

    /// <summary>Wakes all (<c>wake_up_all</c>).</summary>
    public void WakeUpAll() => Wake(0, interruptibleOnly: false);

    /// <summary>
    /// As <see cref="WakeUp"/>, but passes over those who do not wait <see cref="WaitMode.Interruptible"/>
    /// (<c>wake_up_interruptible</c>, <c>_nr</c>); they do not use up the number.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public void WakeUpInterruptible(int count = 1) => Wake(count, interruptibleOnly: true);

    /// <summary>Wakes all who wait <see cref="WaitMode.Interruptible"/> (<c>wake_up_interruptible_all</c>).</summary>
    public void WakeUpInterruptibleAll() => Wake(0, interruptibleOnly: true);

    /// <summary>Waits until <paramref name="condition"/> holds (<c>wait_event</c>). Signals do not end the wait.</summary>
    /// <param name="condition">Called on this thread, at least once; without a lock; may be called again after each wake-up.</param>
    /// <param name="cancellationToken">Ends the wait by an exception; a condition that holds wins.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public void WaitEvent(Func<bool> condition, CancellationToken cancellationToken = default) =>
        WaitEvent(condition, Timeout.InfiniteTimeSpan, WaitMode.Uninterruptible, exclusive: false, cancellationToken);

    /// <summary>
    /// Waits; a signal that <paramref name="mode"/> admits ends the wait, unless the condition holds
    /// (<c>wait_event_interruptible</c>, <c>_killable</c>, <c>_exclusive</c>).
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public WaitResult WaitEvent(
        Func<bool> condition, WaitMode mode, bool exclusive = false, CancellationToken cancellationToken = default) =>
        WaitEvent(condition, Timeout.InfiniteTimeSpan, mode, exclusive, cancellationToken);

    /// <summary>Waits, but no longer than <paramref name="timeout"/> (<c>wait_event_timeout</c> and its forms).</summary>
    /// <param name="condition">As for <see cref="WaitEvent(Func{bool}, CancellationToken)"/>; looked at once more when the time is over.</param>
    /// <param name="timeout">Zero looks once and does not wait; negative waits without limit.</param>
    /// <param name="mode">Which signals to the calling kthread end the wait.</param>
    /// <param name="exclusive">Stand at the end of the line and be woken one at a time.</param>
    /// <param name="cancellationToken">Ends the wait by an exception.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public WaitResult WaitEvent(
        Func<bool> condition,
        TimeSpan timeout,
        WaitMode mode = WaitMode.Uninterruptible,
        bool exclusive = false,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return WaitEvent(condition, static condition => condition(), timeout, mode, exclusive, cancellationToken);
    }

    /// <summary>As the others, with a state for the condition, so that it need not be a closure.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public WaitResult WaitEvent<TState>(
        TState state,
        Func<TState, bool> condition,
        TimeSpan timeout,
        WaitMode mode = WaitMode.Uninterruptible,
        bool exclusive = false,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (condition(state))
            return WaitResult.Done(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        if (timeout == TimeSpan.Zero)
            return WaitResult.TimedOut;
        KworkerSystem system = KworkerSystem.Current;
        var deadline = new WaitDeadline(system.TimeProvider, timeout);
        ThreadWaiter waiter = ThreadWaiter.Rent();
        waiter.Begin(this, mode, exclusive);
        waiter.StartLimits(this, system, timeout, cancellationToken);
        WakeReason ending;
        bool holds, looked = false;
        try
        {
            while (true)
            {
                ending = Prepare(waiter);
                holds = condition(state);
                if (holds || ending != WakeReason.Woken)
                    break;
                waiter.Block();
            }

            looked = true;
        }
        finally
        {
            bool unused = Leave(waiter);
            if (unused)
                waiter.Block(); // somebody claimed it meanwhile and is about to resume it
            if (exclusive && (unused ? waiter.Reason == WakeReason.Woken : !looked))
                PassOn();
            waiter.Return();
        }

        return holds ? WaitResult.Done(deadline.Remaining) : NotDone(ending, cancellationToken);
    }

    /// <summary>As <see cref="WaitEvent(Func{bool}, CancellationToken)"/> without holding a thread.</summary>
    /// <param name="condition">Called in the awaiting method's context, without a lock.</param>
    /// <param name="cancellationToken">Ends the wait by an exception; a condition that holds wins.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public async ValueTask WaitEventAsync(Func<bool> condition, CancellationToken cancellationToken = default) =>
        await WaitEventAsync(condition, Timeout.InfiniteTimeSpan, WaitMode.Uninterruptible, exclusive: false, cancellationToken);

    /// <summary>As <see cref="WaitEvent(Func{bool}, WaitMode, bool, CancellationToken)"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public ValueTask<WaitResult> WaitEventAsync(
        Func<bool> condition, WaitMode mode, bool exclusive = false, CancellationToken cancellationToken = default) =>
        WaitEventAsync(condition, Timeout.InfiniteTimeSpan, mode, exclusive, cancellationToken);

    /// <summary>As <see cref="WaitEvent(Func{bool}, TimeSpan, WaitMode, bool, CancellationToken)"/> without holding a thread.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public ValueTask<WaitResult> WaitEventAsync(
        Func<bool> condition,
        TimeSpan timeout,
        WaitMode mode = WaitMode.Uninterruptible,
        bool exclusive = false,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return WaitEventAsync(condition, static condition => condition(), timeout, mode, exclusive, cancellationToken);
    }

    /// <summary>As the others, with a state for the condition, so that it need not be a closure.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled while the condition was false.</exception>
    public ValueTask<WaitResult> WaitEventAsync<TState>(
        TState state,
        Func<TState, bool> condition,
        TimeSpan timeout,
        WaitMode mode = WaitMode.Uninterruptible,
        bool exclusive = false,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (condition(state))
            return new(WaitResult.Done(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero));
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<WaitResult>(cancellationToken);
        if (timeout == TimeSpan.Zero)
            return new(WaitResult.TimedOut);
        return WaitInLineAsync(state, condition, timeout, mode, exclusive, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<WaitResult> WaitInLineAsync<TState>(
        TState state, Func<TState, bool> condition, TimeSpan timeout, WaitMode mode, bool exclusive, CancellationToken cancellationToken)
    {
        KworkerSystem system = KworkerSystem.Current;
        var deadline = new WaitDeadline(system.TimeProvider, timeout);
        AsyncWaiter waiter = AsyncWaiter.Rent();
        waiter.Begin(this, mode, exclusive);
        waiter.StartLimits(this, system, timeout, cancellationToken);
        WakeReason ending;
        bool holds, looked = false;
        try
        {
            while (true)
            {
                ending = Prepare(waiter);
                holds = condition(state);
                if (holds || ending != WakeReason.Woken)
                    break;
                await waiter.Suspend();
            }

            looked = true;
        }
        finally
        {
            bool unused = Leave(waiter);
            if (unused)
                await waiter.Suspend(); // somebody claimed it meanwhile and is about to resume it
            if (exclusive && (unused ? waiter.Reason == WakeReason.Woken : !looked))
                PassOn();
            waiter.Return();
        }

        return holds ? WaitResult.Done(deadline.Remaining) : NotDone(ending, cancellationToken);
    }

    private static WaitResult NotDone(WakeReason ending, CancellationToken cancellationToken) => ending switch
    {
        WakeReason.Cancelled => throw new OperationCanceledException(cancellationToken),
        WakeReason.TimedOut => WaitResult.TimedOut,
        _ => WaitResult.Interrupted,
    };

    /// <summary>Stands in line until the first wake-up, without a condition (<c>prepare_to_wait</c>, <c>schedule</c>, <c>finish_wait</c>).</summary>
    internal WaitResult Sleep(WaitMode mode, bool exclusive)
    {
        ThreadWaiter waiter = ThreadWaiter.Rent();
        waiter.Begin(this, mode, exclusive);
        if (Prepare(waiter) == WakeReason.Woken)
            waiter.Block();
        WaitResult result = waiter.HasSignal && waiter.Reason == WakeReason.Signalled ? WaitResult.Interrupted : WaitResult.Done();
        if (Leave(waiter))
            waiter.Block();
        waiter.Return();
        return result;
    }

    /// <summary>As <see cref="Sleep"/> without holding a thread.</summary>
    internal async ValueTask<WaitResult> SleepAsync(WaitMode mode, bool exclusive)
    {
        AsyncWaiter waiter = AsyncWaiter.Rent();
        waiter.Begin(this, mode, exclusive);
        if (Prepare(waiter) == WakeReason.Woken)
            await waiter.Suspend();
        WaitResult result = waiter.HasSignal && waiter.Reason == WakeReason.Signalled ? WaitResult.Interrupted : WaitResult.Done();
        if (Leave(waiter))
            await waiter.Suspend();
        waiter.Return();
        return result;
    }

    /// <summary>
    /// Stands in line, if not there already, and arms (<c>prepare_to_wait_event</c>). When a signal, the token or the time ends the wait, says so: then
    /// the waiter has left the line before it looks for the last time, so that no wake-up meant for another is spent on it.
    /// </summary>
    /// <returns>What ends the wait; <see cref="WakeReason.Woken"/> when only a wake-up will.</returns>
    private WakeReason Prepare(Waiter waiter)
    {
        _lock.Enter();
        WakeReason ending = waiter.HasSignal ? WakeReason.Signalled
            : waiter.IsCancelled ? WakeReason.Cancelled
            : waiter.HasTimedOut ? WakeReason.TimedOut
            : WakeReason.Woken;
        if (ending != WakeReason.Woken)
        {
            waiter.Reason = ending;
            if (waiter.IsQueued)
                _line.Remove(waiter);
            waiter.IsArmed = false;
        }
        else
        {
            if (!waiter.IsQueued)
            {
                if (waiter.IsExclusive)
                    _line.AddLast(waiter);
                else
                    _line.AddFirst(waiter);
            }

            waiter.IsArmed = true;
        }

        _lock.Exit();
        Seam.Fence(); // in line before the condition is looked at
        return ending;
    }

    /// <summary>Leaves the line (<c>finish_wait</c>); true when somebody has claimed the waiter and will resume it.</summary>
    private bool Leave(Waiter waiter)
    {
        _lock.Enter();
        waiter.IsArmed = false;
        if (waiter.IsQueued)
            _line.Remove(waiter);
        bool claimed = waiter.IsClaimed;
        _lock.Exit();
        return claimed;
    }

    /// <summary>
    /// With nobody in line this is a fence and a look. Wake-up argument: the caller has changed what the condition looks at, then the fence, then
    /// the look at the line; a waiter has entered the line (<see cref="Prepare"/>), then a fence, then looks at its condition. Of two such pairs
    /// at least one sees the other's change: so either the waiter is seen here, or it sees that its condition holds and does not sleep.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Wake(int count, bool interruptibleOnly)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Seam.Fence();
        if (!_line.SeemsEmpty)
            WakeLine(count, interruptibleOnly);
    }

    private void WakeLine(int count, bool interruptibleOnly)
    {
        var woken = new WakeList();
        _lock.Enter();
        Waiter? next;
        for (Waiter? waiter = _line.First; waiter is not null; waiter = next)
        {
            next = _line.After(waiter);
            // One that is not armed is awake: it will look at its condition anyway, and uses up no number.
            if (!waiter.IsArmed || (interruptibleOnly && waiter.Mode != WaitMode.Interruptible))
                continue;
            Claim(waiter, WakeReason.Woken);
            _line.Remove(waiter);
            woken.Add(waiter);
            if (waiter.IsExclusive && --count == 0)
                break;
        }

        _lock.Exit();
        woken.ResumeAll();
    }

    /// <summary>
    /// An exclusive waiter was woken that had no use for it: its condition held already, or threw. The next one shall look; else what it was woken for
    /// might lie there with somebody waiting for it. (The kernel leaves that to who wakes.)
    /// </summary>
    private void PassOn()
    {
        _lock.Enter();
        Waiter? next = _line.First;
        while (next is not null && !(next.IsExclusive && next.IsArmed))
            next = _line.After(next);
        if (next is not null)
        {
            Claim(next, WakeReason.Woken);
            _line.Remove(next);
        }

        _lock.Exit();
        next?.Resume();
    }

    bool IWaitObject.TryClaim(Waiter waiter, WakeReason reason)
    {
        _lock.Enter();
        bool claimed = waiter.IsArmed;
        if (claimed)
            Claim(waiter, reason); // it stays where it stands: only a wake-up of the queue takes it out of line
        _lock.Exit();
        return claimed;
    }

    private void Claim(Waiter waiter, WakeReason reason)
    {
        _lock.AssertHeld();
        waiter.IsArmed = false;
        waiter.IsClaimed = true;
        waiter.Reason = reason;
    }
}
