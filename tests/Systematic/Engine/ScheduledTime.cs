namespace Kworker.Systematic;

/// <summary>The clock of a schedule as a <see cref="TimeProvider"/>: its timers fire on the schedule's clock thread.</summary>
internal sealed class ScheduledTime(Schedule schedule) : TimeProvider
{
    private readonly List<Timer> _timers = [];
    private ScheduledThread? _clock;

    public override long TimestampFrequency => 1000;

    public override long GetTimestamp() => schedule.Now;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMilliseconds(schedule.Now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        _timers.Add(timer);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Rouse()
    {
        if (_clock is null)
            _clock = schedule.LaunchClock();
        else
            _clock.Wake();
    }

    /// <summary>The clock thread's body.</summary>
    internal void Drive(ScheduledThread clock)
    {
        while (true)
        {
            Timer? next = null;
            foreach (Timer timer in _timers)
            {
                if (next is null || timer.Due < next.Due)
                    next = timer;
            }

            if (next is not null && next.Due <= schedule.Now)
                next.Fire();
            else
                clock.Sleep(next?.Due ?? long.MaxValue);
        }
    }

    private sealed class Timer(ScheduledTime time, TimerCallback callback, object? state) : ITimer
    {
        internal long Due { get; private set; } = long.MaxValue;

        internal void Fire()
        {
            Due = long.MaxValue;
            callback(state);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Due = dueTime < TimeSpan.Zero ? long.MaxValue : time.Schedule.Now + (long)Math.Ceiling(dueTime.TotalMilliseconds);
            if (Due != long.MaxValue)
                time.Rouse();
            return true;
        }

        public void Dispose() => Due = long.MaxValue;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }

    private Schedule Schedule => schedule;
}
