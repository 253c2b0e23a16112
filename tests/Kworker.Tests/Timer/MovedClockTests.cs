using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>A clock that is moved by hand while another thread sets its timer.</summary>
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
