namespace Kworker.Tests.Guide;

public sealed class PeriodicTests : GuideTests
{
    [Fact]
    public async Task A_beat_that_takes_long_puts_off_the_next_and_none_comes_after_the_end()
    {
        var began = new Completion();
        var answer = new Completion();
        int beats = 0;
        var heartbeat = new Heartbeat(async token =>
        {
            Interlocked.Increment(ref beats);
            began.Complete();
            await answer.WaitAsync(token);
        });
        await began.WaitAsync();
        Time.Advance(TimeSpan.FromMinutes(5)); // it is still at the first
        Assert.Equal(1, beats);

        answer.Complete();
        while (Volatile.Read(ref beats) < 2)
        {
            Time.Advance(TimeSpan.FromSeconds(1)); // the first may not have ended at the first of these steps
            Thread.Yield();
        }
        await began.WaitAsync();
        await heartbeat.DisposeAsync(); // in the middle of the second: its token is cancelled
        Time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(2, beats);
    }

    // guide: periodic
    public sealed class Heartbeat : IAsyncDisposable
    {
        private readonly Workqueue _queue = new("heartbeat");
        private readonly DelayedWork<Heartbeat> _beat;
        private readonly Func<CancellationToken, ValueTask> _send;

        public Heartbeat(Func<CancellationToken, ValueTask> send)
        {
            _send = send;
            _beat = new DelayedWork<Heartbeat>(this, static (heartbeat, token) => heartbeat.BeatAsync(token));
            _queue.Queue(_beat, TimeSpan.Zero);
        }

        public async ValueTask DisposeAsync()
        {
            await _beat.CancelSyncAsync(); // it queues itself again? Not any more
            await _queue.DisposeAsync();
        }

        private async ValueTask BeatAsync(CancellationToken token)
        {
            try
            {
                await _send(token);
            }
            finally
            {
                _queue.Queue(_beat, TimeSpan.FromSeconds(10)); // counted from the end of this one
            }
        }
    }
    // guide end
}
