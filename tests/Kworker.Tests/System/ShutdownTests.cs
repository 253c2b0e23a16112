using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>The end of a system within a time: nothing vanishes without a word.</summary>
public sealed class ShutdownTests : IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _log = [];
    private readonly KworkerSystem _system;

    public ShutdownTests() => _system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Log = Log });

    [Fact]
    public async Task Everything_runs_that_is_queued_on_whichever_queue_it_is_queued_in_turn()
    {
        var orders = new Workqueue("orders", system: _system);
        Workqueue mail = Workqueue.Ordered("mail", _system);
        int sent = 0;
        for (int i = 0; i < 100; i++)
        {
            orders.Queue(new Work<int>(i, _ =>
            {
                mail.Queue(new Work<int>(0, _ =>
                {
                    Interlocked.Increment(ref sent);
                    orders.Queue(new Work<int>(0, _ => Interlocked.Increment(ref sent)));
                }));
            }));
        }

        Assert.Empty(await _system.ShutdownAsync(Timeout.InfiniteTimeSpan));
        Assert.Equal(200, sent);
        Assert.Throws<ObjectDisposedException>(() => mail.Queue(new Work<int>(0, static _ => { })));
        Assert.Throws<ObjectDisposedException>(() => orders.Queue(new Work<int>(0, static _ => { })));
        Assert.Throws<ObjectDisposedException>(() => new Workqueue("late", system: _system)); // its items would wait for ever
        await _system.DisposeAsync(); // nothing more
        Assert.Empty(_log);
    }

    [Fact]
    public async Task What_waits_for_its_time_is_given_up_by_name_or_run_if_its_queue_says_so()
    {
        var reminders = new Workqueue("reminders", system: _system);
        var saves = new Workqueue("saves", new WorkqueueOptions { RunDelayedAtShutdown = true }, _system);
        bool saved = false;
        reminders.Queue(new DelayedWork<Named>(new Named("wake up"), static _ => { }), TimeSpan.FromHours(1));
        saves.Queue(new DelayedWork<Named>(new Named("save"), _ => saved = true), TimeSpan.FromHours(1));
        UnfinishedWork left = Assert.Single(await _system.ShutdownAsync(Timeout.InfiniteTimeSpan));
        Assert.Equal(("wake up", "reminders", UnfinishedState.Delayed, TimeSpan.FromHours(1)), (left.Name, left.Queue, left.State, left.DueIn));
        Assert.Equal("wake up (queue reminders) waited for its time, 3600 s more: not run", left.ToString());
        Assert.True(saved);
    }

    [Fact]
    public async Task When_the_time_is_over_what_waits_is_named_and_what_runs_is_told()
    {
        var queue = new Workqueue("mail", new WorkqueueOptions { MaxActive = 2 }, _system);
        var entered = new Completion();
        var goOn = new Completion();
        var told = new Completion();
        bool blockedEnded = false;
        queue.Queue(new Work<Named>(new Named("heeds"), async (_, token) =>
        {
            entered.Complete();
            try
            {
                await new Completion().WaitAsync(token);
            }
            finally
            {
                told.Complete();
            }
        }));
        queue.Queue(new Work<Named>(new Named("blocks"), _ =>
        {
            entered.Complete();
            goOn.Wait();
            blockedEnded = true;
        }));
        queue.Queue(new Work<Named>(new Named("first in line"), static _ => { }));
        queue.Queue(new Work<Named>(new Named("second in line"), static _ => { }));
        await entered.WaitAsync();
        await entered.WaitAsync();

        Task<IReadOnlyList<UnfinishedWork>> shutdown = _system.ShutdownAsync(TimeSpan.FromSeconds(25)).AsTask();
        _time.Advance(TimeSpan.FromSeconds(24));
        Assert.False(shutdown.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(2));
        await told.WaitAsync(); // by then what waits has been taken back
        goOn.Complete(); // it has no token: it is waited for
        Assert.Equal(
            ["first in line Waiting", "heeds Interrupted", "second in line Waiting"],
            (await shutdown).Select(static left => $"{left.Name} {left.State}").Order());
        Assert.True(blockedEnded);
    }

    [Fact]
    public async Task When_patience_is_at_its_end_what_still_runs_is_named_and_left_alone()
    {
        var queue = new Workqueue("mail", system: _system);
        var entered = new Completion();
        var goOn = new Completion();
        var ended = new Completion();
        queue.Queue(new Work<Named>(new Named("deaf"), async (_, _) =>
        {
            entered.Complete();
            await goOn.WaitAsync();
            ended.Complete();
        }));
        queue.Queue(new Work<Named>(new Named("blocks"), _ =>
        {
            entered.Complete();
            goOn.Wait();
            ended.Complete();
        }));
        await entered.WaitAsync();
        await entered.WaitAsync();
        using var patience = new CancellationTokenSource();
        Task<IReadOnlyList<UnfinishedWork>> shutdown = _system.ShutdownAsync(TimeSpan.Zero, patience.Token).AsTask();
        Assert.False(shutdown.IsCompleted);
        await patience.CancelAsync();
        Assert.Equal(["blocks Running", "deaf Running"], (await shutdown).Select(static left => $"{left.Name} {left.State}").Order());

        // Nobody waits for them any more, and whoever comes is refused.
        await _system.DisposeAsync();
        await queue.DisposeAsync();
        Assert.Throws<ObjectDisposedException>(() => queue.Queue(new Work<int>(0, static _ => { })));

        // They go on all the same.
        goOn.CompleteAll();
        await ended.WaitAsync();
        await ended.WaitAsync();
    }

    [Fact]
    public async Task An_item_that_queues_itself_for_ever_is_stopped_when_the_time_is_over()
    {
        var queue = new Workqueue("loop", system: _system);
        var ten = new Completion();
        var loop = new Loop(queue, ten);
        queue.Queue(loop.Work);
        await ten.WaitAsync();
        Task<IReadOnlyList<UnfinishedWork>> shutdown = _system.ShutdownAsync(TimeSpan.FromSeconds(1)).AsTask();
        while (!shutdown.IsCompleted)
        {
            _time.Advance(TimeSpan.FromSeconds(1)); // its own time is looked at anew each time
            await Task.Yield();
        }

        Assert.All(await shutdown, static left => Assert.Equal(UnfinishedState.Waiting, left.State));
        Assert.Equal(WorkBusy.None, loop.Work.Busy & WorkBusy.Running);
    }

    [Fact]
    public async Task A_hundred_thousand_in_line_are_all_named()
    {
        Workqueue queue = Workqueue.Ordered("line", _system);
        var entered = new Completion();
        var goOn = new Completion();
        queue.Queue(new Work<int>(0, _ =>
        {
            entered.Complete();
            goOn.Wait();
        }));
        await entered.WaitAsync();
        for (int i = 0; i < 100_000; i++)
            queue.Queue(new Work<int>(i, static _ => Assert.Fail("it was taken back")));
        Task<IReadOnlyList<UnfinishedWork>> shutdown = _system.ShutdownAsync(TimeSpan.Zero).AsTask();
        goOn.Complete();
        Assert.Equal(100_000, (await shutdown).Count(static left => left.State == UnfinishedState.Waiting));
    }

    [Fact]
    public async Task It_ends_at_once_when_nothing_was_ever_queued_and_only_once()
    {
        Assert.Empty(await _system.ShutdownAsync(TimeSpan.FromSeconds(1)));
        Assert.Empty(await _system.ShutdownAsync(TimeSpan.FromSeconds(1)));
        _system.Dispose();
    }

    [Fact]
    public async Task An_exception_of_a_queue_that_nobody_listens_to_goes_to_the_system()
    {
        var heard = new List<string>();
        var quiet = new Workqueue("quiet", system: _system);
        var loud = new Workqueue("loud", system: _system);
        loud.UnhandledException += (_, e) => heard.Add($"loud {e.Work}");
        _system.UnhandledException += (_, e) => heard.Add($"system {e.Workqueue.Name} {e.Work}");
        quiet.Queue(new Work<Named>(new Named("a"), static _ => throw new InvalidOperationException()));
        await quiet.FlushAsync();
        loud.Queue(new Work<Named>(new Named("b"), static _ => throw new InvalidOperationException()));
        await loud.FlushAsync();
        Assert.Equal(["system quiet a", "loud b"], heard);
        Assert.Empty(_log);
        await _system.DisposeAsync();
    }

    [Fact]
    public async Task It_is_idle_when_all_queues_are()
    {
        var first = new Workqueue("first", system: _system);
        var second = new Workqueue("second", system: _system);
        int left = 100;
        var there = new Work<int>(0, _ => { });
        Work<int>? back = null;
        there = new Work<int>(0, _ => second.Queue(back!));
        back = new Work<int>(0, _ =>
        {
            if (Interlocked.Decrement(ref left) > 0)
                first.Queue(there);
        });
        first.Queue(there);
        await _system.WhenIdleAsync();
        Assert.Equal(0, left);
        var blocks = new Completion();
        first.Queue(new Work<int>(0, _ => blocks.Wait()));
        using var impatience = new CancellationTokenSource();
        Task idle = _system.WhenIdleAsync(impatience.Token).AsTask();
        await impatience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => idle);
        blocks.Complete();
        await _system.DisposeAsync();
    }

    private void Log(string text)
    {
        lock (_log)
            _log.Add(text);
    }

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    private sealed record Named(string WorkName) : INamedWork;

    private sealed class Loop
    {
        private readonly Workqueue _queue;
        private readonly Completion _ten;
        private int _runs;

        internal Loop(Workqueue queue, Completion ten)
        {
            _queue = queue;
            _ten = ten;
            Work = new Work<Loop>(this, static loop => loop.Run());
        }

        internal Work<Loop> Work { get; }

        private void Run()
        {
            if (++_runs == 10)
                _ten.Complete();
            _queue.Queue(Work);
        }
    }
}
