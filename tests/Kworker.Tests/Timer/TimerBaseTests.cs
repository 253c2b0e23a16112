using CsCheck;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

public sealed class TimerBaseTests
{
    private sealed class Node(Action expired) : TimedItem
    {
        internal override void Expire() => expired();
    }

    [Fact]
    public void Timers_fire_at_their_time_whatever_it_is()
    {
        Gen.Int[0, 400_000_000].Array[1, 40].Sample(delays =>
        {
            var time = new FakeTimeProvider();
            using var timers = new TimerBase(time, ownThread: false);
            var start = time.GetUtcNow();
            var fired = new List<(int Delay, double At)>();
            foreach (int delay in delays)
                timers.Arm(new Node(() => fired.Add((delay, (time.GetUtcNow() - start).TotalMilliseconds))), TimeSpan.FromMilliseconds(delay));
            foreach (int step in delays.Order())
            {
                TimeSpan due = start.AddMilliseconds(step) - time.GetUtcNow();
                if (due > TimeSpan.Zero)
                    time.Advance(due);
            }

            timers.Process();
            Assert.Equal(delays.Length, fired.Count);
            Assert.All(fired, f => Assert.Equal(f.Delay, f.At));
        }, iter: 300);
    }
}
