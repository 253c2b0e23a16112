namespace Kworker.Tests.Guide;

public sealed class ShutdownTests : GuideTests
{
    [Fact]
    public async Task Nothing_is_lost()
    {
        const int Orders = 500;
        var shop = new Shop();
        for (int i = 0; i < Orders; i++)
            shop.Order(i);
        await shop.DisposeAsync();
        Assert.Equal(Orders, shop.Packed);
        Assert.Equal(Orders, shop.Posted);
        Assert.Equal(1, shop.Reports);
        Assert.Throws<ObjectDisposedException>(() => shop.Order(0));
    }

    // guide: shutdown
    public sealed class Shop : IAsyncDisposable
    {
        private readonly Workqueue _queue = new("orders");
        private readonly DelayedWork<Shop> _report;
        private int _packed, _posted, _reports;

        public Shop()
        {
            _report = new DelayedWork<Shop>(this, static shop => Interlocked.Increment(ref shop._reports));
            _queue.Queue(_report, TimeSpan.FromHours(1));
        }

        public int Packed => _packed;

        public int Posted => _posted;

        public int Reports => _reports;

        public void Order(int number) => _queue.Queue(new Work<Shop>(this, static shop => shop.Pack()));

        public async ValueTask DisposeAsync()
        {
            await _report.FlushAsync();  // 1. what waits for its time: now. Or never, by CancelSyncAsync
            await _queue.DisposeAsync(); // 2. what is queued, and what that queues in turn; then no more
        }

        private void Pack()
        {
            Interlocked.Increment(ref _packed);
            _queue.Queue(new Work<Shop>(this, static shop => Interlocked.Increment(ref shop._posted)));
        }
    }
    // guide end

    [Fact]
    public async Task Who_does_not_end_in_time_is_told_to()
    {
        await using var queue = new Workqueue("orders");
        var begun = new Completion();
        queue.Queue(new Work<Completion>(begun, static async (begun, token) =>
        {
            begun.Complete();
            await new Completion().WaitAsync(token);
        }));
        await begun.WaitAsync();
        bool inTime = true;
        Task stopping = StopAsync();
        while (!stopping.IsCompleted)
        {
            Time.Advance(TimeSpan.FromSeconds(1));
            Thread.Yield();
        }
        await stopping;
        Assert.False(inTime);

        async Task StopAsync()
        {
            // guide: drain-in-time
            inTime = await queue.DrainAsync(TimeSpan.FromSeconds(30)); // then the tokens of async functions are cancelled
            // guide end
        }
    }
}
