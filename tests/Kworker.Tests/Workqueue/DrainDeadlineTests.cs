using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

public sealed class DrainDeadlineTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly KworkerSystem _system;
    private readonly Workqueue _queue;

    public DrainDeadlineTests()
    {
        _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time });
        _queue = new Workqueue("test", new WorkqueueOptions { MaxActive = 2 }, _system);
    }

    public void Dispose() => _system.Dispose();

    [Fact]
    public async Task At_the_end_of_the_time_tokens_are_cancelled_also_of_those_that_begin_later()
    {
        var entered = new Completion();
        int cancelled = 0;
        async ValueTask Function(object? owner, CancellationToken token)
        {
            entered.Complete();
            try
            {
                await new Completion().WaitAsync(token);
            }
            finally
            {
                Interlocked.Increment(ref cancelled);
            }
        }

        for (int i = 0; i < 5; i++)
            _queue.Queue(new Work<object?>(null, Function));
        entered.Wait();
        entered.Wait();
        ValueTask<bool> drain = _queue.DrainAsync(TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(drain.IsCompleted);
        Assert.Equal(0, cancelled);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(await drain);
        Assert.Equal(5, cancelled);
        // Afterwards all is as before: a new item gets a token that nobody has cancelled.
        var last = new Work<object?>(null, Function);
        _queue.Queue(last);
        for (int i = 2; i < 6; i++)
            entered.Wait();
        Assert.Equal(5, cancelled);
        last.CancelSync();
        Assert.Equal(6, cancelled);
    }

    [Fact]
    public void In_time_is_in_time()
    {
        int runs = 0;
        _queue.Queue(new Work<object?>(null, _ => runs++));
        Assert.True(_queue.Drain(TimeSpan.FromSeconds(1)));
        Assert.Equal(1, runs);
        Assert.True(_queue.Drain(Timeout.InfiniteTimeSpan));
    }
}
