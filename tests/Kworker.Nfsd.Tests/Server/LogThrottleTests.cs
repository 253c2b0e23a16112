using Kworker.Nfsd.Server;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Nfsd.Tests.Server;

public sealed class LogThrottleTests
{
    [Fact]
    public void So_many_lines_a_second_and_no_more()
    {
        var clock = new FakeTimeProvider();
        var throttle = new LogThrottle(clock);
        for (int second = 0; second < 3; second++)
        {
            for (int line = 0; line < LogThrottle.LinesPerSecond; line++)
                Assert.True(throttle.TryTake());
            Assert.False(throttle.TryTake());
            clock.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
