namespace Kworker;

/// <summary>What wakes the wheel: calls <see cref="TimerBase.Process"/> at the time that it was set to last.</summary>
internal abstract class TimerClock : IDisposable
{
    /// <summary>Sets the time of the next call. Called without locks, by several threads; the base repeats it until the earliest stands.</summary>
    /// <param name="tick">A tick of the base, or <see cref="long.MaxValue"/> for never.</param>
    internal abstract void Set(long tick);

    public abstract void Dispose();
}

/// <summary>The system's clock: a thread of ours that sleeps until the next expiry (the platform's timers fire on the thread pool).</summary>
internal sealed class SystemTimerClock(TimerBase timers) : TimerClock
{
    private readonly Lock _lock = new();
    private Parker? _parker; // written under _lock, when the thread is made
    private long _due = long.MaxValue; // when to wake; lowered by Set, raised by the thread, both under _lock
    private bool _disposed; // under _lock

    internal override void Set(long tick)
    {
        if (tick == long.MaxValue)
            return;
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
            long wait;
            lock (_lock)
            {
                if (_disposed)
                    break;
                wait = _due == long.MaxValue ? Timeout.Infinite : (long)timers.Until(_due).TotalMilliseconds;
                if (wait == 0)
                    _due = long.MaxValue; // what Process leaves to be done it sets anew
            }

            if (wait == 0)
                timers.Process();
            else
                _parker.Park((int)Math.Min(wait, int.MaxValue));
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

/// <summary>Any other <see cref="TimeProvider"/>, such as a test's, through a timer of its own, on whatever thread that calls back.</summary>
internal sealed class ProviderTimerClock : TimerClock
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
            TimeSpan until = _timers.Until(tick);
            _timer.Change(until < s_longest ? until : s_longest, Timeout.InfiniteTimeSpan);
        }
    }

    private void Elapsed()
    {
        lock (_lock)
            _due = long.MaxValue;
        _timers.Process();
    }

    public override void Dispose() => _timer.Dispose();
}
