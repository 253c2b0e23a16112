using System.Collections.Concurrent;

namespace Kworker.Tests.Guide;

public sealed class KthreadTests : GuideTests
{
    [Fact]
    public async Task It_reads_what_was_posted_before_it_was_stopped()
    {
        var inbox = new Inbox();
        for (int i = 0; i < 100; i++)
            inbox.Post($"letter {i}");
        while (inbox.HasLetters)
            await Task.Yield(); // it has begun: one that is stopped before that never runs
        inbox.Post("one more");
        Assert.Equal(101, await inbox.StopAsync());
    }

    [Fact]
    public async Task One_that_fails_says_so_to_who_stops_it()
    {
        var entered = new Completion();
        Kthread thread = Kthread.Run<Completion>(
            static entered =>
            {
                entered.Complete();
                throw new IOException("no paper");
            },
            entered,
            "failing");
        await entered.WaitAsync();
        Assert.Equal("no paper", (await Assert.ThrowsAsync<IOException>(async () => await thread.StopAsync())).Message);
    }

    // guide: kthread
    public sealed class Inbox
    {
        private readonly ConcurrentQueue<string> _letters = new();
        private readonly WaitQueue _arrivals = new();
        private readonly Kthread _reader;

        public Inbox() => _reader = Kthread.Run(static inbox => inbox.ReadAsync(), this, "inbox-reader");

        public void Post(string letter)
        {
            _letters.Enqueue(letter);
            _arrivals.WakeUp();
        }

        public bool HasLetters => !_letters.IsEmpty;

        public ValueTask<int> StopAsync() => _reader.StopAsync();

        private async ValueTask<int> ReadAsync()
        {
            int read = 0;
            while (true)
            {
                await _arrivals.WaitEventAsync(() => !_letters.IsEmpty || Kthread.ShouldStop);
                while (_letters.TryDequeue(out _))
                    read++;
                if (Kthread.ShouldStop && _letters.IsEmpty)
                    return read; // for who stops it
            }
        }
    }
    // guide end
}
