using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;

namespace Kworker.Tests;

/// <summary>Whether asynchronous locals go with an item: <see cref="WorkqueueOptions.FlowExecutionContext"/>.</summary>
public sealed class ExecutionContextTests
{
    private static readonly WorkqueueOptions s_flowing = new() { FlowExecutionContext = true };

    private readonly AsyncLocal<string?> _local = new();
    private readonly ConcurrentQueue<(int Item, string? Local)> _seen = [];

    [Theory]
    [InlineData("plain")]
    [InlineData("ordered")]
    [InlineData("unbound")]
    [InlineData("intensive")]
    public void Each_item_sees_the_locals_of_the_call_that_queued_it(string kind)
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 2 });
        using var queue = new Workqueue("flowing", new WorkqueueOptions
        {
            FlowExecutionContext = true,
            Ordered = kind == "ordered",
            Unbound = kind == "unbound",
            CpuIntensive = kind == "intensive",
        }, system);
        for (int i = 0; i < 100; i++)
        {
            _local.Value = $"{i}";
            queue.Queue(i % 2 == 0 ? new Work<int>(i, Look) : new Work<int>(i, LookAsync));
        }

        Assert.Equal("99", _local.Value);
        queue.Flush();
        Assert.Equal(150, _seen.Count);
        Assert.All(_seen, static seen => Assert.Equal($"{seen.Item}", seen.Local));
    }

    [Fact]
    public void Unless_told_otherwise_it_sees_none()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 2 });
        using var queue = new Workqueue("test", null, system);
        _local.Value = "the caller's";
        for (int i = 0; i < 100; i++)
            queue.Queue(i % 2 == 0 ? new Work<int>(i, Look) : new Work<int>(i, LookAsync));
        var delayed = new DelayedWork<int>(100, Look);
        queue.Queue(delayed, TimeSpan.FromHours(1));
        delayed.Flush();
        queue.Flush();
        Assert.Equal(151, _seen.Count);
        Assert.All(_seen, static seen => Assert.Null(seen.Local));
    }

    [Fact]
    public void Nothing_of_it_is_left_for_the_next_item_on_the_worker()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 1 });
        using var flowing = new Workqueue("flowing", s_flowing, system);
        using var queue = new Workqueue("test", null, system);
        for (int i = 0; i < 50; i++)
        {
            _local.Value = $"{i}";
            flowing.Queue(new Work<int>(i, static _ => { }));
            flowing.Queue(new Work<int>(i, static async (_, _) => await Task.Yield()));
            queue.Queue(new Work<int>(i, Look));
            if (i % 10 == 9)
                queue.Flush();
        }

        Assert.Equal(50, _seen.Count);
        Assert.All(_seen, static seen => Assert.Null(seen.Local));
    }

    [Fact]
    public void What_a_function_queues_sees_what_the_function_saw_then()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 2 });
        using var queue = new Workqueue("flowing", s_flowing, system);
        Work<int>[] chain = new Work<int>[50];
        for (int i = 0; i < chain.Length; i++)
            chain[i] = new Work<int>(i, Step);
        _local.Value = "0";
        queue.Queue(chain[0]);
        queue.Drain();
        Assert.Equal(Enumerable.Range(0, 50).Select(static i => (i, (string?)$"{i}")), _seen);

        void Step(int i)
        {
            Look(i);
            _local.Value = $"{i + 1}";
            if (i + 1 < chain.Length)
                queue.Queue(chain[i + 1]);
            _local.Value = "too late";
        }
    }

    [Fact]
    public void An_item_that_is_queued_while_it_runs_sees_the_later_call_in_the_later_run()
    {
        using var system = new KworkerSystem(new KworkerSystemOptions { Processors = 2 });
        using var queue = new Workqueue("flowing", s_flowing, system);
        var begun = new Completion();
        var end = new Completion();
        var work = new Work<int>(0, i =>
        {
            begun.Complete();
            end.Wait();
            Look(i);
        });
        for (int i = 0; i < 50; i++)
        {
            _local.Value = $"first {i}";
            queue.Queue(work);
            begun.Wait();
            _local.Value = $"second {i}";
            Assert.True(queue.Queue(work));
            _local.Value = "refused";
            Assert.False(queue.Queue(work));
            end.Complete();
            end.Complete();
            begun.Wait();
            work.Flush();
        }

        Assert.Equal(Enumerable.Range(0, 50).SelectMany(static i => new[] { $"first {i}", $"second {i}" }), _seen.Select(static seen => seen.Local));
    }

    [Fact]
    public void A_delayed_item_sees_the_call_that_armed_it_last()
    {
        var time = new FakeTimeProvider();
        using var system = new KworkerSystem(new KworkerSystemOptions { TimeProvider = time });
        using var queue = new Workqueue("flowing", s_flowing, system);
        var item = new DelayedWork<int>(0, Look);
        for (int i = 0; i < 3; i++)
        {
            _local.Value = "queued";
            Assert.True(queue.Queue(item, TimeSpan.FromMinutes(1)));
            _local.Value = "refused";
            Assert.False(queue.Queue(item, TimeSpan.FromMinutes(1)));
            time.Advance(TimeSpan.FromMinutes(2));
            queue.Flush();
        }

        queue.Queue(item, TimeSpan.FromMinutes(1));
        _local.Value = "modified";
        Assert.True(queue.Modify(item, TimeSpan.FromMinutes(2)));
        _local.Value = "afterwards";
        time.Advance(TimeSpan.FromMinutes(3));
        queue.Flush();
        queue.Queue(item, TimeSpan.FromMinutes(1));
        _local.Value = "at once";
        Assert.True(queue.Modify(item, TimeSpan.Zero));
        queue.Flush();
        _local.Value = "expedited";
        queue.Queue(item, TimeSpan.FromMinutes(1));
        _local.Value = "the flush's";
        Assert.True(item.Flush());
        Assert.Equal(["queued", "queued", "queued", "modified", "at once", "expedited"], _seen.Select(static seen => seen.Local));
    }

    [Fact]
    public void Where_the_caller_has_suppressed_the_flow_it_sees_none()
    {
        using var system = new KworkerSystem();
        using var queue = new Workqueue("flowing", s_flowing, system);
        var work = new Work<int>(0, Look);
        _local.Value = "flows";
        queue.Queue(work);
        queue.Flush();
        using (ExecutionContext.SuppressFlow())
            queue.Queue(work);
        queue.Flush();
        Assert.Equal(["flows", null], _seen.Select(static seen => seen.Local));
    }

    [Fact]
    public void What_was_cancelled_leaves_nothing_for_another_queue_or_a_later_call()
    {
        using var system = new KworkerSystem();
        using var flowing = new Workqueue("flowing", s_flowing, system);
        using var queue = new Workqueue("test", null, system);
        var item = new DelayedWork<int>(0, Look);
        _local.Value = "cancelled";
        flowing.Queue(item, TimeSpan.FromHours(1));
        Assert.True(item.Cancel());
        queue.Queue(item);
        queue.Flush();
        flowing.Queue(item, TimeSpan.FromHours(1));
        Assert.True(queue.Modify(item, TimeSpan.FromHours(1)));
        item.Flush();
        _local.Value = "later";
        flowing.Queue(item);
        flowing.Flush();
        Assert.Equal([null, null, "later"], _seen.Select(static seen => seen.Local));
    }

    private void Look(int item)
    {
        _seen.Enqueue((item, _local.Value));
        _local.Value = "left behind";
    }

    private async ValueTask LookAsync(int item, CancellationToken cancellationToken)
    {
        _seen.Enqueue((item, _local.Value));
        await Task.Yield();
        _seen.Enqueue((item, _local.Value));
        _local.Value = "left behind";
    }
}
