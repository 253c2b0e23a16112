namespace Kworker.Tests.Guide;

public sealed class AsyncWorkTests : GuideTests
{
    [Fact]
    public async Task What_follows_an_await_is_on_a_worker_again()
    {
        await using var queue = new Workqueue("feeds");
        var feed = new Feed();

        // guide: async
        var refresh = new Work<Feed>(feed, static async (feed, token) =>
        {
            string text = await feed.DownloadAsync(token); // no worker is held meanwhile
            feed.Parse(text);                              // on a worker of the queue again
        });
        queue.Queue(refresh);
        await refresh.FlushAsync();                        // over when its task is
        // guide end

        Assert.Equal("news", feed.Parsed);
        Assert.True(feed.WasOnWorker);
    }

    [Fact]
    public async Task What_was_configured_not_to_come_back_does_not()
    {
        await using var queue = new Workqueue("feeds");
        var feed = new Feed();

        // guide: configure-await
        var refresh = new Work<Feed>(feed, static async (feed, token) =>
        {
            string text = await feed.DownloadAsync(token).ConfigureAwait(false);
            feed.Parse(text); // on a thread of the .NET thread pool
        });
        // guide end

        queue.Queue(refresh);
        await refresh.FlushAsync();
        Assert.Equal("news", feed.Parsed);
        Assert.False(feed.WasOnWorker);
    }

    private sealed class Feed
    {
        private readonly string _source = "news";

        internal string? Parsed { get; private set; }

        internal bool WasOnWorker { get; private set; }

        internal async Task<string> DownloadAsync(CancellationToken token)
        {
            // As an answer from the network: it comes later, and from elsewhere.
            await Task.Run(static () => { }, token).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            return _source;
        }

        internal void Parse(string text)
        {
            Parsed = text;
            WasOnWorker = Work.Current is not null;
        }
    }
}
