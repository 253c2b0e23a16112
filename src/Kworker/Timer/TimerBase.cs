using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Kworker;

/// <summary>
/// The timers of a system: arms, disarms and fires <see cref="DeferredItem"/>s. Never early: a delay is counted from now in ticks rounded up, and a tick fires when the
/// clock has passed its beginning. Tickless: between the armed times nothing runs, but once to let go of what was disarmed.
/// <para>
/// To arm is a compare-and-swap on the item, a word, and one more interlocked operation; to disarm is one compare-and-swap (<see cref="TimerArming"/>). With the system's clock the wheel is told later: the item is put into an inbox of
/// the calling thread, once, however often it is armed and disarmed meanwhile. The inboxes are emptied by the thread that drives the wheel whenever it wakes up, by
/// their own thread when they are full, and within a second in any case, so that what was disarmed does not stay reachable. Any other clock, such as a
/// test's, is told at once, so that on it short timers of the same tick fire in the order in which they were armed.
/// </para>
/// <para>
/// Even a look at the clock is too much where timeouts are armed all the time and hardly ever fire. When a thread arms many long delays within a short time the base
/// begins to beat: for a while it empties the inboxes every few ticks, and long delays (from four seconds on) are counted from the next beat: less than a thousandth late.
/// </para>
/// <para>
/// Wake-up argument. Who puts something into an inbox, or arms what stands in one, does that first, then a full fence, then reads <c>_programmed</c> and <c>_mode</c>; if
/// the clock will call too late, he tells the wheel under the lock and programs the clock. The thread that drives the wheel writes <c>_programmed</c> and
/// <c>_mode</c> before it stops, then a full fence, then looks whether an inbox holds anything. So one of the two sees the other. Whoever empties inboxes under
/// the lock programs the clock after it.
/// </para>
/// </summary>
internal sealed class TimerBase : IDisposable
{
    private const long Never = TimerWheel.Never;

    /// <summary>Value of <c>_programmed</c> while somebody processes: nobody need program the clock.</summary>
    private const long Awake = long.MinValue;

    // Values of _mode: when the inboxes are emptied at the latest.
    private const int AsItComes = 0; // with the next timer: there is nothing in them
    private const int Soon = 1; // within TimerLimits.SettleAfter
    private const int Beating = 2; // every TimerLimits.Beat: long delays may be counted from the next

    [ThreadStatic]
    private static TimerInbox? t_inboxes;

    private readonly TimerTicks _ticks; // immutable
    private readonly TimerLimits _limits; // immutable
    private readonly long _longTicks; // immutable: the shortest long delay, in units of TimeSpan
    private readonly bool _isLazy; // immutable: there are inboxes
    private readonly TimerClock _clock; // immutable; called without the lock

    /// <summary>When the clock will call at the latest. Written under the lock, read without it.</summary>
    private long _programmed = Never;

    /// <summary>See <see cref="AsItComes"/>. Written under the lock, read without it.</summary>
    private int _mode;

    /// <summary>Whose <see cref="DeferredItem.Expire"/> runs right now, and on which thread. Written by that thread, read by all.</summary>
    private DeferredItem? _running;
    private int _runningThread;

    /// <summary>Inboxes that hold something, the last listed first. Grows by compare-and-swap, is taken whole under the lock.</summary>
    private TimerInbox? _listed;

    private Spinlock _lock;

    // Lock: _lock.
    private readonly TimerWheel _wheel = new();
    private readonly TimerList _due = new(); // taken from the wheel to be fired
    private bool _processing; // somebody is: what others put into the wheel he sees
    private long _settleAt = Never; // when the inboxes are to be emptied, according to _mode
    private long _beatUntil;

    /// <param name="timeProvider">Its clock.</param>
    /// <param name="ownThread">A thread of ours waits for the next expiry, rather than a timer of the provider: for the system's clock.</param>
    /// <param name="limits">Others than the usual ones, for tests.</param>
    internal TimerBase(TimeProvider timeProvider, bool ownThread, TimerLimits? limits = null)
    {
        _ticks = new TimerTicks(timeProvider);
        _limits = limits ?? new TimerLimits();
        _longTicks = _limits.Long * (TimeSpan.TicksPerSecond / TimerTicks.PerSecond);
        _isLazy = ownThread;
        _clock = ownThread ? new SystemTimerClock(this) : new ProviderTimerClock(this, timeProvider);
    }

    /// <summary>It calls nobody any more.</summary>
    internal bool IsDisposed { get; private set; }

    /// <summary>When a delay that begins now ends, for <see cref="Land"/>. <paramref name="program"/>: <see cref="Program"/> is to be called afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal long ExpiryOf(TimeSpan delay, out bool program)
    {
        program = false;
        return delay.Ticks >= _longTicks && delay.Ticks <= TimerExpiry.LongestDelay && Seam.Read(in _mode) == Beating
            ? TimerExpiry.After(delay)
            : LookAtClock(delay, ref program);
    }

    /// <summary>
    /// The second half of an arming, after the compare-and-swap to <paramref name="state"/>: writes when it is due. True when the caller must call
    /// <see cref="Program"/> after it has let go of its locks. (To set the clock may make a thread, and a clock of the user's may even fire at once.)
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Land(DeferredItem item, ref TimerEntry entry, long expires, long state)
    {
        bool tell = TimerArming.MarkUnsettled(item);
        Seam.Write(ref entry.Expires, TimerExpiry.Of(expires, state));
        TimerArming.Land(item, state);
        return (tell || IsTooEarly(expires)) && Tell(item);
    }

    /// <summary>After a disarming that was to be told.</summary>
    internal bool Tell(DeferredItem item)
    {
        if (_isLazy && OwnInbox() is { } inbox)
        {
            if (inbox.TryAdd(item))
            {
                List(inbox);
                // The item may have been armed anew since, by somebody who relies on its standing in an inbox: his arming counts.
                if (!IsTooEarly(item) && Seam.Read(in _mode) != AsItComes)
                    return false;
            }

            _lock.Enter();
            Empty(inbox);
        }
        else
        {
            _lock.Enter();
        }

        Settle(item);
        if (_isLazy && _mode == AsItComes)
            SettleBy(Soon, _ticks.Now + _limits.SettleAfter);
        bool program = NextCall() < _programmed;
        _lock.Exit();
        return program;
    }

    /// <summary>Arms <paramref name="item"/>, which must not be armed, to fire after <paramref name="delay"/>.</summary>
    internal void Arm(DeferredItem item, TimeSpan delay)
    {
        if (Insert(item, delay))
            Program();
        if (Listeners.Timer)
            TracePoints.TimerStarted(item, Now, delay);
    }

    /// <summary>As <see cref="Arm"/> for a caller that holds a lock: true when it must call <see cref="Program"/> after it has let go of it.</summary>
    internal bool Insert(DeferredItem item, TimeSpan delay)
    {
        long expires = ExpiryOf(delay, out bool program);
        long state = Seam.Read(in item.State);
        while (true)
        {
            Debug.Assert(!TimerArming.IsArmed(state), "it is armed once");
            long armed = TimerArming.Arm(state);
            long seen = Seam.CompareExchange(ref item.State, armed, state);
            if (seen == state)
                return Land(item, ref item.Timer, expires, armed) || program;
            state = seen;
        }
    }

    /// <summary>
    /// Disarms <paramref name="item"/>; true when it was armed, and then it will not fire (<c>del_timer</c>). When false it may be firing right now.
    /// </summary>
    internal bool Cancel(DeferredItem item)
    {
        if (!TimerArming.TryDisarm(item, bits: 0, out bool tell))
            return false;
        Disarmed(item, tell);
        return true;
    }

    /// <summary>After a <see cref="TimerArming.TryDisarm"/>. Seldom sets the clock, which then has a thread.</summary>
    internal void Disarmed(DeferredItem item, bool tell)
    {
        if ((tell || !_isLazy) && Tell(item))
            Program();
    }

    /// <summary>
    /// Disarms, and waits until a firing that has begun is over (<c>del_timer_sync</c>), so that the item may be used anew.
    /// Not for one whose <see cref="DeferredItem.Expire"/> the caller is in: there it returns at once.
    /// </summary>
    internal bool CancelSync(DeferredItem item)
    {
        var spin = new SpinWait();
        while (true)
        {
            if (Cancel(item))
                return true;
            // In this order: it is named before it is disarmed to be fired.
            if (!ReferenceEquals(Seam.Read(in _running), item) || Seam.Read(in _runningThread) == Environment.CurrentManagedThreadId)
                return false;
            Seam.Spin(ref spin); // Expire is short and does not sleep
        }
    }

    /// <summary>
    /// Fires all that is due. Called by the clock. Only one thread processes at a time; one that finds another at it leaves, and the other sets the clock
    /// before it stops, for what has become due meanwhile, too.
    /// </summary>
    internal void Process()
    {
        _lock.Enter();
        if (_processing)
        {
            _lock.Exit();
            return;
        }

        _processing = true;
        Seam.Write(ref _runningThread, Environment.CurrentManagedThreadId);
        long next;
        do
        {
            Seam.Write(ref _programmed, Awake);
            if (_mode == AsItComes)
                Seam.Write(ref _mode, Soon); // before it stops
            long now;
            do
            {
                if (_wheel.IsCascading)
                {
                    _lock.Exit();
                    _lock.Enter();
                }

                EmptyAll();
                FireDue();
                now = _ticks.Now;
            }
            while (_wheel.TryAdvance(now, _due));

            next = Rest(now);
        }
        while (next == Awake);

        _processing = false;
        _lock.Exit();
        SetClock(next);
    }

    /// <summary>Tells the clock when to call next, if it does not know.</summary>
    internal void Program()
    {
        _lock.Enter();
        long next = NextCall();
        bool isEarlier = next < _programmed;
        if (isEarlier)
            Seam.Write(ref _programmed, next);
        _lock.Exit();
        if (isEarlier)
            SetClock(next);
    }

    /// <summary>Ticks that have passed.</summary>
    internal long Now => _ticks.Now;

    /// <summary>
    /// Delayed items of a kind whose time runs, and when it ends: no more than <paramref name="max"/>, in no order, of as many timers as can be looked at in a short time.
    /// </summary>
    internal List<(T Work, TimeSpan DueIn)> Collect<T>(int max)
        where T : DeferredItem
    {
        var found = new List<(T Work, TimeSpan DueIn)>();
        _lock.Enter();
        EmptyAll();
        foreach (DeferredItem item in _wheel.Items.Take((int)Math.Min(max * 16L, int.MaxValue)))
        {
            if (found.Count < max && item is T work && TimerArming.TryReadSettled(item, out long tick))
                found.Add((work, Until(tick)));
        }

        _lock.Exit();
        Program(); // the inboxes may have held the next to fire
        return found;
    }

    /// <summary>How long until <paramref name="tick"/> begins; zero or less when it has begun.</summary>
    internal TimeSpan Until(long tick) => _ticks.Until(tick);

    public void Dispose()
    {
        IsDisposed = true;
        _clock.Dispose();
        // Who keeps the base, such as a thread with an inbox of it, is not to keep all that was armed.
        _lock.Enter();
        EmptyAll();
        _wheel.Clear();
        _lock.Exit();
    }

    private void SetClock(long tick)
    {
        if (tick == Never)
            return;
        try
        {
            _clock.Set(tick);
        }
        catch (OutOfMemoryException)
        {
            _lock.Enter();
            if (!_processing)
                Seam.Write(ref _programmed, Never); // no thread for the clock: the next who arms a timer tries again
            _lock.Exit();
            throw;
        }
    }

    private long LookAtClock(TimeSpan delay, ref bool program)
    {
        long elapsed = _ticks.Elapsed;
        if (_isLazy && delay.Ticks >= _longTicks && OwnInbox() is { } inbox && ++inbox.LongArmings >= _limits.BusyArmings)
        {
            long now = _ticks.Floor(elapsed);
            program = now - inbox.LongArmingsSince <= _limits.BusyTicks;
            inbox.LongArmings = 0;
            inbox.LongArmingsSince = now;
            if (program)
                BeginBeating(now);
        }

        return TimerExpiry.At(_ticks.Due(elapsed, delay));
    }

    private void BeginBeating(long now)
    {
        _lock.Enter();
        _beatUntil = now + _limits.BeatFor;
        SettleBy(Beating, now + _limits.Beat);
        _lock.Exit();
    }

    private void SettleBy(int mode, long tick)
    {
        _lock.AssertHeld();
        Seam.Write(ref _mode, mode);
        _settleAt = Math.Min(_settleAt, tick);
    }

    /// <summary>Whether an arming that is not in the wheel cannot wait until the clock calls.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsTooEarly(long expires) => !_isLazy
        || (TimerExpiry.IsRelative(expires) ? Seam.Read(in _mode) != Beating : TimerExpiry.Tick(expires) < Seam.Read(in _programmed));

    private bool IsTooEarly(DeferredItem item)
    {
        long state = Seam.Read(in item.State);
        if (!TimerArming.IsArmed(state))
            return false;
        long expires = Seam.Read(in item.Timer.Expires);
        return !TimerExpiry.IsOf(expires, state) || IsTooEarly(expires);
    }

    private TimerInbox? OwnInbox()
    {
        TimerInbox? inbox = t_inboxes;
        while (inbox is not null && !ReferenceEquals(inbox.Owner, this))
            inbox = inbox.NextOfThread;
        return inbox ?? MakeInbox();
    }

    private TimerInbox? MakeInbox()
    {
        if (IsDisposed)
            return null;
        TimerInbox? kept = null;
        for (TimerInbox? other = t_inboxes, next; other is not null; other = next)
        {
            next = other.NextOfThread;
            if (other.Owner.IsDisposed)
                continue;
            other.NextOfThread = kept;
            kept = other;
        }

        return t_inboxes = new TimerInbox(this, _limits.Inbox) { NextOfThread = kept };
    }

    /// <summary>By the inbox's thread, after it has put something in. A full fence.</summary>
    private void List(TimerInbox inbox)
    {
        Seam.Fence();
        if (Seam.Read(in inbox.IsListed) != 0)
            return;
        Seam.Write(ref inbox.IsListed, 1);
        TimerInbox? first = Seam.Read(in _listed);
        while (true)
        {
            inbox.NextListed = first;
            TimerInbox? seen = Seam.CompareExchange(ref _listed, inbox, first);
            if (ReferenceEquals(seen, first))
                return;
            first = seen;
        }
    }

    private void EmptyAll()
    {
        if (Seam.Read(in _listed) is null)
            return;
        TimerInbox? inbox = Seam.Exchange(ref _listed, null);
        while (inbox is not null)
        {
            TimerInbox? next = inbox.NextListed;
            inbox.NextListed = null;
            Seam.Write(ref inbox.IsListed, 0);
            Empty(inbox);
            inbox = next;
        }
    }

    private void Empty(TimerInbox inbox)
    {
        Seam.Fence();
        int count = inbox.Count;
        if (count == 0)
            return;
        for (int i = 0; i < count; i++)
            Seam.Write(ref inbox[i].IsUnsettled, 0);
        Seam.Fence();
        Span<long> expiries = stackalloc long[count];
        for (int i = 0; i < count; i++)
            expiries[i] = TimerArming.ReadExpiry(inbox[i]) ?? -1;
        // Only now: a delay begins after it was read.
        long elapsed = _ticks.Elapsed;
        MoveWheelTo(elapsed);
        for (int i = 0; i < count; i++)
            Place(inbox[i], expiries[i], elapsed);
        inbox.Take(count);
    }

    private void Settle(DeferredItem item)
    {
        Seam.Write(ref item.IsUnsettled, 0);
        Seam.Fence();
        long expires = TimerArming.ReadExpiry(item) ?? -1;
        long elapsed = _ticks.Elapsed;
        MoveWheelTo(elapsed);
        Place(item, expires, elapsed);
    }

    private void MoveWheelTo(long elapsed)
    {
        if (!_processing)
            _wheel.MoveTo(_ticks.Floor(elapsed));
    }

    /// <summary>Puts an item where it belongs; it stays where it is when it has been armed anew meanwhile, and will be told of.</summary>
    private void Place(DeferredItem item, long expires, long elapsed)
    {
        _lock.AssertHeld();
        if (expires < 0)
        {
            TimerList.Unlink(ref item.Timer);
            return;
        }

        long tick = TimerExpiry.Tick(expires);
        if (TimerExpiry.IsRelative(expires))
        {
            tick = _ticks.Due(elapsed, TimerExpiry.Delay(expires));
            if (!TimerArming.TryResolve(item, expires, tick))
                return;
        }

        _wheel.Put(item, tick);
    }

    private void FireDue()
    {
        while (_due.TakeFirst() is { } item)
        {
            Seam.Write(ref _running, item);
            if (TimerArming.TryFire(item))
            {
                _lock.Exit();
                if (Listeners.Timer)
                    TracePoints.TimerExpired(item, Now);
                item.Expire();
                _lock.Enter();
            }

            Seam.Write(ref _running, null);
        }
    }

    private long NextCall() => Math.Min(_wheel.NextEvent(), _settleAt);

    /// <summary>Before it stops processing: when to go on; <see cref="Awake"/> for at once.</summary>
    private long Rest(long now)
    {
        bool beats = _mode == Beating && now < _beatUntil;
        _settleAt = beats ? now + _limits.Beat : Never;
        Seam.Write(ref _mode, beats ? Beating : AsItComes);
        long next = NextCall();
        Seam.Write(ref _programmed, next);
        Seam.Fence();
        return Seam.Read(in _listed) is null ? next : Awake;
    }
}
