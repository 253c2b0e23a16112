using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests.Guide;

public sealed class FakeTimeTests
{
    // guide: fake-time
    [Fact]
    public async Task A_reminder_comes_after_a_day_and_not_before()
    {
        var time = new FakeTimeProvider();
        await using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        await using var queue = new Workqueue("reminders", system: system);
        int reminders = 0;
        queue.Queue(new DelayedWork<object?>(null, _ => reminders++), TimeSpan.FromDays(1));

        time.Advance(TimeSpan.FromHours(23));
        await queue.FlushAsync();
        Assert.Equal(0, reminders);

        time.Advance(TimeSpan.FromHours(1)); // it is queued when this returns,
        await queue.FlushAsync();            // and has run when this does
        Assert.Equal(1, reminders);
    }
    // guide end
}
