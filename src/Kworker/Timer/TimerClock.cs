namespace Kworker;

/// <summary>What wakes the wheel: calls <see cref="TimerBase.Process"/> at the time that it was set to last.</summary>
internal abstract class TimerClock : IDisposable
{
    /// <summary>Sets the time of the next call, unless an earlier one is set. Called by several threads.</summary>
    /// <param name="tick">A tick of the base.</param>
    internal abstract void Set(long tick);

    public abstract void Dispose();
}

/// <summary>The system's clock: a thread of ours that sleeps until the next expiry (the platform's timers fire on the thread pool).</summary>
internal sealed class SystemTimerClock(TimerBase timers) : TimerClock
{
    /// <summary>It sleeps no longer at a time.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(1);

    private readonly Lock _lock = new();
    private Parker? _parker; // written under _lock, when the thread is made
    private long _due = long.MaxValue; // when to wake; lowered by Set, raised by the thread, both under _lock
    private bool _disposed; // under _lock

    internal override void Set(long tick)
    {
        Thread? start = null;
        lock (_lock)
        {
            if (_disposed || tick >= _due)
                return;
            _due = tick;
            if (_parker is null)
            {
                _parker = Parker.ForNewThread(observer: null);
                start = new Thread(_ => Run()) { IsBackground = true, Name = "kworker/timer" };
            }
        }

        if (start is not null)
            StartThread(start);
        // The thread rereads _due after each park, and the token is kept: what was set before it slept is not missed.
        _parker.Unpark();
    }

    private void StartThread(Thread thread)
    {
        try
        {
            Seam.Start(thread, state: null);
        }
        catch
        {
            lock (_lock)
            {
                _parker = null;
                _due = long.MaxValue;
            }

            throw;
        }
    }

    private void Run()
    {
        _parker!.Adopt();
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                if (_disposed)
                    break;
                wait = _due == long.MaxValue ? s_longest : timers.Until(_due);
                if (wait <= TimeSpan.Zero)
                    _due = long.MaxValue; // what Process leaves to be done it sets anew
            }

            if (wait <= TimeSpan.Zero)
                timers.Process();
            else
                _parker.ParkAtMost(wait < s_longest ? wait : s_longest);
        }

        _parker.Leave();
    }

    public override void Dispose()
    {
        lock (_lock)
            _disposed = true;
        _parker?.Unpark();
    }
}

/// <summary>
/// Any other <see cref="TimeProvider"/>, such as a test's, through a timer of its own, on whatever thread that calls back; unless that thread is inside a call of ours
/// (<see cref="ClockReading"/>): it may hold the very locks, so another one processes.
/// </summary>
internal sealed class ProviderTimerClock : TimerClock, IThreadPoolWorkItem
{
    /// <summary>Timers of the platform take no more than 49 days; one that elapses too soon is set anew.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(40);

    private readonly Lock _lock = new();
    private readonly TimerBase _timers;
    private readonly ITimer _timer;
    private long _due = long.MaxValue; // what the timer is set to; under _lock, so that a later time never replaces an earlier one

    internal ProviderTimerClock(TimerBase timers, TimeProvider timeProvider)
    {
        _timers = timers;
        _timer = timeProvider.CreateTimer(
            static state => ((ProviderTimerClock)state!).Elapsed(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    internal override void Set(long tick)
    {
        lock (_lock)
        {
            if (tick >= _due)
                return;
            _due = tick;
            ClockReading.Begin();
            try
            {
                TimeSpan until;
                do
                {
                    until = Until(tick);
                    _timer.Change(until < s_longest ? until : s_longest, Timeout.InfiniteTimeSpan);
                }
                // A clock that is moved by hand may have been moved between the two, and the timer goes off as much too late.
                while (Until(tick) != until);
            }
            finally
            {
                ClockReading.End();
            }
        }
    }

    /// <summary>In whole milliseconds: a timer of the platform's leaves the rest out, and would elapse too soon.</summary>
    private TimeSpan Until(long tick) => TimeSpan.FromMilliseconds(Math.Max(0, Math.Ceiling(_timers.Until(tick).TotalMilliseconds)));

    /// <summary>
    /// Until a processing that was handed on runs, <c>_due</c> is the time that has come: whoever would set a later one until then leaves it at that, and the processing sets
    /// what is next.
    /// </summary>
    private void Elapsed()
    {
        if (ClockReading.IsUnderWay)
            Seam.QueueToCaller(this, preferLocal: false);
        else
            Process();
    }

    void IThreadPoolWorkItem.Execute() => Process();

    private void Process()
    {
        lock (_lock)
            _due = long.MaxValue;
        _timers.Process();
    }

    public override void Dispose() => _timer.Dispose();
}
