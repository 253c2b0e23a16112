using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>A clock that is moved by hand while another thread sets its timer or reads it.</summary>
public sealed class MovedClockTests
{
    [Fact]
    public async Task A_timer_that_is_set_while_the_clock_is_moved_past_it_is_not_lost()
    {
        var time = new JumpingTime();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        await using var queue = new Workqueue("test", null, system);
        var ran = new Completion();
        var work = new DelayedWork<Completion>(ran, static ran => ran.Complete());
        time.Jump = TimeSpan.FromSeconds(10);
        queue.Queue(work, TimeSpan.FromSeconds(1));
        await ran.WaitAsync();
    }

    // A fake clock calls what is due on whatever thread reads it first, and the core reads it under its own locks, too.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_timer_that_fires_where_we_read_the_clock_finds_none_of_our_locks_held(bool modify)
    {
        for (int read = 1; read <= 16; read++) // whichever read of the armings it is
        {
            var time = new FiringTime();
            await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
            await using var queue = new Workqueue("test", null, system);
            await using var worker = new KthreadWorker("test", system);
            Completion[] ran = [.. Enumerable.Range(0, 4).Select(_ => new Completion())];
            var due = new DelayedWork<Completion>(ran[0], static ran => ran.Complete());
            var armed = new DelayedWork<Completion>(ran[1], static ran => ran.Complete());
            var kthreadDue = new KthreadDelayedWork<Completion>(ran[2], static ran => ran.Complete());
            var kthreadArmed = new KthreadDelayedWork<Completion>(ran[3], static ran => ran.Complete());
            queue.Queue(due, TimeSpan.FromSeconds(1));
            worker.Queue(kthreadDue, TimeSpan.FromSeconds(1));
            if (modify)
            {
                queue.Queue(armed, TimeSpan.FromSeconds(3));
                worker.Queue(kthreadArmed, TimeSpan.FromSeconds(3));
            }

            time.FireAtRead(read);
            queue.Modify(armed, TimeSpan.FromSeconds(2));
            worker.Modify(kthreadArmed, TimeSpan.FromSeconds(2));
            time.Advance(TimeSpan.FromMinutes(1));

            foreach (Completion each in ran)
                await each.WaitAsync();
        }
    }

    /// <summary>Moves on by ten seconds in one of the reads, and calls what is due from there.</summary>
    private sealed class FiringTime : FakeTimeProvider
    {
        private int _left;

        internal void FireAtRead(int number) => _left = number;

        public override long GetTimestamp()
        {
            if (Interlocked.Decrement(ref _left) == 0)
                Advance(TimeSpan.FromSeconds(10));
            return base.GetTimestamp();
        }
    }

    /// <summary>Moves on just before its timer is set, once.</summary>
    private sealed class JumpingTime : FakeTimeProvider
    {
        internal TimeSpan Jump { get; set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new JumpingTimer(this, base.CreateTimer(callback, state, dueTime, period));

        private sealed class JumpingTimer(JumpingTime time, ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                TimeSpan jump = time.Jump;
                time.Jump = TimeSpan.Zero;
                time.Advance(jump);
                return timer.Change(dueTime, period);
            }

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }
}
