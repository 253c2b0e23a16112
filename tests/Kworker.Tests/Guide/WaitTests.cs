namespace Kworker.Tests.Guide;

public sealed class WaitTests : GuideTests
{
    [Fact]
    public async Task No_more_are_inside_than_may_be_and_none_waits_for_ever()
    {
        var uploads = new Uploads(limit: 3);
        int inside = 0;
        int most = 0;
        Task[] all =
        [
            .. Enumerable.Range(0, 100).Select(async _ =>
            {
                await uploads.EnterAsync(CancellationToken.None);
                int now = Interlocked.Increment(ref inside);
                lock (uploads)
                    most = Math.Max(most, now);
                await Task.Yield();
                Interlocked.Decrement(ref inside);
                uploads.Leave();
            }),
        ];
        await Task.WhenAll(all);
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task A_wait_may_be_cancelled()
    {
        var uploads = new Uploads(limit: 1);
        await uploads.EnterAsync(CancellationToken.None);
        using var source = new CancellationTokenSource();
        Task second = uploads.EnterAsync(source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        uploads.Leave();
        await uploads.EnterAsync(CancellationToken.None);
    }

    // guide: wait
    public sealed class Uploads(int limit)
    {
        private readonly WaitQueue _room = new();
        private int _inside;

        public async ValueTask EnterAsync(CancellationToken token) =>
            await _room.WaitEventAsync(TryEnter, WaitMode.Uninterruptible, exclusive: true, token);

        public void Leave()
        {
            Interlocked.Decrement(ref _inside); // first what is waited for,
            _room.WakeUp();                     // then the wake-up: one of those who wait
        }

        private bool TryEnter()
        {
            int inside = Volatile.Read(ref _inside);
            return inside < limit && (Interlocked.CompareExchange(ref _inside, inside + 1, inside) == inside || TryEnter());
        }
    }
    // guide end

    [Fact]
    public async Task What_happens_once_is_a_completion()
    {
        // guide: completion
        var connected = new Completion();
        Task first = SendHelloAsync(connected);
        connected.CompleteAll(); // all who wait, and all who come later
        await first;
        connected.Wait();        // a thread waits for the same thing

        static async Task SendHelloAsync(Completion connected)
        {
            await connected.WaitAsync();
            // ...
        }
        // guide end

        Assert.True(connected.IsDone);
    }
}
