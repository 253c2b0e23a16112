using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace Kworker.Hosting.Tests;

/// <summary>The background queue: that works run, with services of their own, and what becomes of those for which there is no room.</summary>
public sealed class BackgroundQueueTests
{
    private readonly ConcurrentQueue<int> _done = new();
    private readonly Completion _begun = new();
    private readonly Completion _go = new();

    private static readonly Action<BackgroundQueueOptions> s_oneAndTwo = static options => (options.MaxActive, options.Capacity) = (1, 2);

    private static Task<TestHost> StartAsync(BackgroundQueueFullMode mode) =>
        TestHost.StartAsync(kworker => kworker.AddBackgroundQueue(options =>
        {
            s_oneAndTwo(options);
            options.FullMode = mode;
        }));

    private Func<CancellationToken, Task> Note(int number) => _ =>
    {
        _done.Enqueue(number);
        return Task.CompletedTask;
    };

    /// <summary>One that is at work until it is let go, and so many that wait in line.</summary>
    private async Task FillAsync(IBackgroundQueue queue, int waiting = 2)
    {
        await queue.QueueAsync(async _ =>
        {
            _begun.Complete();
            await _go.WaitAsync();
            _done.Enqueue(0);
        });
        await _begun.WaitAsync();
        for (int i = 1; i <= waiting; i++)
            Assert.True(queue.TryQueue(Note(i), $"work {i}"));
    }

    [Fact]
    public async Task Each_work_has_a_scope_of_its_own()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.Services.AddScoped<Session>());
        var sessions = new ConcurrentQueue<Session>();
        for (int i = 0; i < 3; i++)
        {
            await host.Background.QueueAsync((Session session, CancellationToken _) =>
            {
                Assert.False(session.IsDisposed);
                sessions.Enqueue(session);
                return Task.CompletedTask;
            });
        }

        await host.System.WhenIdleAsync();
        Assert.Equal(3, sessions.Distinct().Count());
        Assert.All(sessions, static session => Assert.True(session.IsDisposed));
    }

    [Fact]
    public async Task A_failure_is_logged_by_name_and_harms_nobody()
    {
        await using TestHost host = await TestHost.StartAsync();
        await host.Background.QueueAsync(static _ => throw new IOException("no such mailbox"), "welcome mail");
        await host.Background.QueueAsync(Note(1));
        await host.System.WhenIdleAsync();
        Assert.Equal([1], _done);
        Assert.Equal("welcome mail (queue background) failed: no such mailbox", Assert.Single(host.Log.WithId(1)));
    }

    [Fact]
    public async Task Works_are_named_after_their_functions()
    {
        await using TestHost host = await TestHost.StartAsync();
        await host.Background.QueueAsync(FailAsync);
        await host.Background.QueueAsync((IServiceProvider _, CancellationToken token) => FailAsync(token));
        await host.System.WhenIdleAsync();
        Assert.Equal(
            [$"{nameof(BackgroundQueueTests)}.FailAsync (queue background) failed: no", $"{nameof(BackgroundQueueTests)}.{nameof(Works_are_named_after_their_functions)} lambda (queue background) failed: no"],
            host.Log.WithId(1).Order());
    }

    private static Task FailAsync(CancellationToken cancellationToken) => Task.FromException(new IOException("no"));

    [Fact]
    public async Task Without_a_bound_nobody_waits()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue(static options => options.MaxActive = 1));
        await FillAsync(host.Background, waiting: 1000);
        _go.Complete();
        await host.System.WhenIdleAsync();
        Assert.Equal(Enumerable.Range(0, 1001), _done);
    }

    [Fact]
    public async Task Who_waits_for_room_gets_in_in_order()
    {
        await using TestHost host = await StartAsync(BackgroundQueueFullMode.Wait);
        await FillAsync(host.Background);
        Assert.False(host.Background.TryQueue(Note(-1)));
        Task[] waiting = [.. Enumerable.Range(3, 5).Select(i => host.Background.QueueAsync(Note(i)).AsTask())];
        Assert.DoesNotContain(waiting, static task => task.IsCompleted);
        _go.Complete();
        await Task.WhenAll(waiting);
        await host.System.WhenIdleAsync();
        Assert.Equal(Enumerable.Range(0, 8), _done);
        await FillAfterAsync(host.Background); // all places are free again
    }

    private async Task FillAfterAsync(IBackgroundQueue queue)
    {
        await FillAsync(queue);
        Assert.False(queue.TryQueue(Note(-1)));
        _go.Complete();
    }

    [Fact]
    public async Task A_token_ends_the_wait_for_room_and_nobody_else_s()
    {
        await using TestHost host = await StartAsync(BackgroundQueueFullMode.Wait);
        await FillAsync(host.Background);
        using var impatience = new CancellationTokenSource();
        Task first = host.Background.QueueAsync(Note(3)).AsTask();
        Task gone = host.Background.QueueAsync(Note(4), cancellationToken: impatience.Token).AsTask();
        Task last = host.Background.QueueAsync(Note(5)).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => host.Background.QueueAsync(Note(6), cancellationToken: impatience.Token).AsTask());
        _go.Complete();
        await first;
        await last;
        await host.System.WhenIdleAsync();
        Assert.Equal([0, 1, 2, 3, 5], _done);
    }

    [Fact]
    public async Task A_work_that_queues_another_does_not_wait_for_itself()
    {
        await using TestHost host = await StartAsync(BackgroundQueueFullMode.Wait);
        IBackgroundQueue queue = host.Background;
        await queue.QueueAsync(async _ =>
        {
            for (int i = 0; i < 10; i++)
            {
                if (i == 5)
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // away from the workers: it is the same work
                await queue.QueueAsync(Note(i));
            }
        });
        await host.System.WhenIdleAsync();
        Assert.Equal(Enumerable.Range(0, 10), _done);
        await FillAfterAsync(queue);
    }

    [Fact]
    public async Task Where_it_is_rejected_the_caller_knows()
    {
        await using TestHost host = await StartAsync(BackgroundQueueFullMode.Reject);
        await FillAsync(host.Background);
        Assert.False(host.Background.TryQueue(Note(3)));
        BackgroundQueueFullException e = await Assert.ThrowsAsync<BackgroundQueueFullException>(() => host.Background.QueueAsync(Note(3), "third").AsTask());
        Assert.Contains("third", e.Message, StringComparison.Ordinal);
        _go.Complete();
        await host.System.WhenIdleAsync();
        Assert.Equal([0, 1, 2], _done);
        await FillAfterAsync(host.Background);
    }

    [Fact]
    public async Task Where_the_oldest_is_dropped_the_log_names_it()
    {
        await using TestHost host = await StartAsync(BackgroundQueueFullMode.DropOldest);
        await FillAsync(host.Background);
        for (int i = 3; i <= 5; i++)
            await host.Background.QueueAsync(Note(i), $"work {i}");
        _go.Complete();
        await host.System.WhenIdleAsync();
        Assert.Equal([0, 4, 5], _done);
        Assert.Equal([1, 2, 3], host.Log.WithId(6).Select(static text => text["work ".Length] - '0'));
        await FillAsync(host.Background);
        _go.Complete();
        await host.System.WhenIdleAsync();
        Assert.Equal([0, 4, 5, 0, 1, 2], _done);
    }

    [Theory]
    [InlineData(BackgroundQueueFullMode.Wait)]
    [InlineData(BackgroundQueueFullMode.Reject)]
    [InlineData(BackgroundQueueFullMode.DropOldest)]
    public async Task Of_many_at_once_each_runs_or_its_end_is_told(BackgroundQueueFullMode mode)
    {
        const int Producers = 4, Each = 2000;
        await using TestHost host = await TestHost.StartAsync(kworker => kworker.AddBackgroundQueue(options =>
            (options.MaxActive, options.Capacity, options.FullMode) = (3, 5, mode)));
        int ran = 0, refused = 0, atWork = 0, most = 0;
        await Task.WhenAll(Enumerable.Range(0, Producers).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < Each; i++)
            {
                try
                {
                    await host.Background.QueueAsync(async _ =>
                    {
                        int now = Interlocked.Increment(ref atWork);
                        InterlockedMax(ref most, now);
                        await Task.Yield();
                        Interlocked.Decrement(ref atWork);
                        Interlocked.Increment(ref ran);
                    });
                }
                catch (BackgroundQueueFullException)
                {
                    Interlocked.Increment(ref refused);
                }
            }
        })));
        await host.System.WhenIdleAsync();
        Assert.Equal(Producers * Each, ran + refused + host.Log.WithId(6).Count());
        Assert.InRange(most, 1, 3);
        if (mode == BackgroundQueueFullMode.Wait)
            Assert.Equal(Producers * Each, ran);
        for (int i = 0; i < 8; i++)
            Assert.True(host.Background.TryQueue(async _ => await _go.WaitAsync())); // no place was lost,
        bool fits = host.Background.TryQueue(Note(1));
        Assert.Equal(mode == BackgroundQueueFullMode.DropOldest, fits);                // and none was made
        _go.CompleteAll();
    }

    private static void InterlockedMax(ref int target, int value)
    {
        int seen = Volatile.Read(ref target);
        while (seen < value)
            seen = Interlocked.CompareExchange(ref target, value, seen) is var before && before == seen ? value : before;
    }

    [Fact]
    public async Task A_queue_of_another_name_is_another_queue()
    {
        await using TestHost host = await TestHost.StartAsync(static kworker => kworker.AddBackgroundQueue("images", s_oneAndTwo));
        IBackgroundQueue images = host.Services.GetRequiredKeyedService<IBackgroundQueue>("images");
        Assert.NotSame(host.Background, images);
        await FillAsync(images);
        Assert.False(images.TryQueue(Note(3)));
        Assert.True(host.Background.TryQueue(Note(9)));
        _go.Complete();
    }

    private sealed class Session : IDisposable
    {
        public bool IsDisposed { get; private set; }

        public void Dispose() => IsDisposed = true;
    }
}
