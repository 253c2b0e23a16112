namespace Kworker.Tests;

/// <summary>Existing async code on a workqueue, by its task scheduler and its synchronization context.</summary>
public sealed class TaskSchedulerTests : IAsyncDisposable
{
    private readonly KworkerSystem _system = new();
    private readonly List<string> _steps = [];

    public ValueTask DisposeAsync() => _system.DisposeAsync();

    [Fact]
    public async Task Tasks_run_on_workers_as_items_of_the_queue()
    {
        var queue = new Workqueue("mail", system: _system);
        (string? thread, Work? work, KworkerSystem current) = await Task.Factory.StartNew(
            static () => (Thread.CurrentThread.Name, Work.Current, KworkerSystem.Current), default, TaskCreationOptions.None, queue.TaskScheduler);
        Assert.StartsWith("kworker/n:", thread, StringComparison.Ordinal);
        Assert.Equal("Task", work?.ToString());
        Assert.Same(_system, current);
        Assert.Same(queue.TaskScheduler, queue.TaskScheduler);
        Assert.Equal(queue.MaxActive, queue.TaskScheduler.MaximumConcurrencyLevel);
    }

    [Fact]
    public async Task Async_methods_on_an_ordered_queue_need_no_lock()
    {
        await using var queue = Workqueue.Ordered("account", _system);
        int balance = 0, inside = 0;
        var tasks = new Task[50];
        for (int i = 0; i < tasks.Length; i++)
        {
            tasks[i] = Task.Factory.StartNew(DepositAsync, default, TaskCreationOptions.None, queue.TaskScheduler).Unwrap();
        }

        await Task.WhenAll(tasks);
        Assert.Equal(150, balance);

        async Task DepositAsync()
        {
            for (int i = 0; i < 3; i++)
            {
                Assert.Equal(1, ++inside); // pieces never overlap
                Assert.Same(queue.TaskScheduler, TaskScheduler.Current);
                balance++;
                inside--;
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task A_task_that_waits_for_one_behind_it_in_an_ordered_queue_runs_it_itself()
    {
        await using var queue = Workqueue.Ordered("one", _system);
        int inner = await Task.Factory.StartNew(
            () => Task.Factory.StartNew(static () => 42, default, TaskCreationOptions.None, queue.TaskScheduler).GetAwaiter().GetResult(),
            default,
            TaskCreationOptions.None,
            queue.TaskScheduler);
        Assert.Equal(42, inner);
    }

    [Fact]
    public async Task Parallel_loops_run_on_it()
    {
        var queue = new Workqueue("loop", new WorkqueueOptions { MaxActive = 3, Unbound = true }, _system);
        int sum = 0, inside = 0, most = 0;
        await Parallel.ForEachAsync(Enumerable.Range(1, 100), new ParallelOptions { TaskScheduler = queue.TaskScheduler, MaxDegreeOfParallelism = 20 }, (number, _) =>
        {
            int now = Interlocked.Increment(ref inside);
            InterlockedMax(ref most, now);
            Interlocked.Add(ref sum, number);
            Interlocked.Decrement(ref inside);
            return default;
        });
        Assert.Equal(5050, sum);
        Assert.InRange(most, 1, 3);
    }

    [Fact]
    public async Task An_async_method_is_not_left_in_the_middle_when_its_queue_has_been_disposed_of()
    {
        var queue = new Workqueue("short", system: _system);
        var entered = new Completion();
        var go = new TaskCompletionSource();
        Task<string?> task = Task.Factory.StartNew(
            async () =>
            {
                entered.Complete();
                await go.Task;
                return Thread.CurrentThread.Name;
            },
            default,
            TaskCreationOptions.None,
            queue.TaskScheduler).Unwrap();
        await entered.WaitAsync();
        await queue.DisposeAsync(); // it awaits: it is no item now
        go.SetResult();
        Assert.StartsWith("kworker/", await task, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nor_when_its_whole_system_has()
    {
        var system = new KworkerSystem();
        var queue = new Workqueue("short", system: system);
        var entered = new Completion();
        var go = new TaskCompletionSource();
        Task<int> task = Task.Factory.StartNew(
            async () =>
            {
                entered.Complete();
                await go.Task;
                return 7;
            },
            default,
            TaskCreationOptions.None,
            queue.TaskScheduler).Unwrap();
        await entered.WaitAsync();
        await system.DisposeAsync();
        go.SetResult();
        Assert.Equal(7, await task);
    }

    [Fact]
    public async Task What_is_posted_comes_back_to_the_queue_after_each_await()
    {
        await using var queue = Workqueue.Ordered("ui", _system);
        var done = new Completion();
        queue.SynchronizationContext.Post(
            async _ =>
            {
                for (int i = 0; i < 3; i++)
                {
                    _steps.Add($"{i} {ReferenceEquals(SynchronizationContext.Current, queue.SynchronizationContext)} {Work.Current is not null}");
                    await Task.Yield();
                }

                done.Complete();
            },
            null);
        await done.WaitAsync();
        Assert.Equal(["0 True True", "1 True True", "2 True True"], _steps);
    }

    [Fact]
    public async Task Send_returns_when_it_has_run_and_gives_its_exception_to_who_sent()
    {
        await using var queue = Workqueue.Ordered("ui", _system);
        queue.SynchronizationContext.Send(_ => _steps.Add(Thread.CurrentThread.Name!), null);
        Assert.StartsWith("kworker/u:", Assert.Single(_steps), StringComparison.Ordinal);
        Exception thrown = Assert.Throws<InvalidOperationException>(() => queue.SynchronizationContext.Send(static _ => throw new InvalidOperationException("no"), null));
        Assert.Equal("no", thrown.Message);

        // From within it would wait for itself: it runs in place.
        queue.SynchronizationContext.Send(_ => queue.SynchronizationContext.Send(_ => _steps.Add("within"), null), null);
        Assert.Equal("within", _steps[^1]);
    }

    [Fact]
    public async Task An_exception_of_what_was_posted_goes_to_the_queue()
    {
        await using var queue = Workqueue.Ordered("ui", _system);
        var failed = new TaskCompletionSource<string>();
        queue.UnhandledException += (_, e) => failed.SetResult($"{e.Work}: {e.Exception.Message}");
        queue.SynchronizationContext.Post(static _ => throw new InvalidOperationException("no"), null);
        Assert.Equal("TaskSchedulerTests.An_exception_of_what_was_posted_goes_to_the_queue lambda: no", await failed.Task);
    }

    private static void InterlockedMax(ref int location, int value)
    {
        int seen = Volatile.Read(ref location);
        while (seen < value)
            seen = Interlocked.CompareExchange(ref location, value, seen) is var now && now == seen ? value : now;
    }
}
