namespace Kworker.Systematic;

public sealed class AsyncWorkScenarios
{
    /// <summary>An async function that never runs twice at once, whatever it awaits.</summary>
    private sealed class AsyncProbe
    {
        private bool _runs;
        private bool _executes;

        internal int Runs { get; private set; }

        internal Func<AsyncProbe, CancellationToken, ValueTask>? Inside { get; set; }

        internal static Func<AsyncProbe, CancellationToken, ValueTask> Function { get; } = static async (probe, token) =>
        {
            if (probe._runs)
                Schedule.Current.Fail(new ScheduleException("It runs twice at once."));
            probe._runs = true;
            probe.Runs++;
            probe.Piece();
            if (probe.Inside is { } inside)
                await inside(probe, token);
            probe.Piece();
            probe._runs = false;
        };

        internal void Piece()
        {
            if (_executes)
                Schedule.Current.Fail(new ScheduleException("Two pieces of it run at once."));
            _executes = true;
            Scenario.Step();
            _executes = false;
        }
    }

    [Fact]
    public void Pieces_run_one_at_a_time_and_flush_waits_for_the_last() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        var probe = new AsyncProbe
        {
            Inside = async (probe, _) =>
            {
                Task other = Other(probe, gate);
                await gate.WaitAsync();
                probe.Piece();
                await other;
            },
        };
        var work = new Work<AsyncProbe>(probe, AsyncProbe.Function);
        Assert.True(queue.Queue(work));
        var two = scenario.Run("completer", gate.Complete);
        gate.Complete();
        queue.Queue(work);
        gate.CompleteAll();
        work.Flush();
        Assert.InRange(probe.Runs, 1, 2);
        Assert.Equal(WorkBusy.None, work.Busy);
        two.Join();

        static async Task Other(AsyncProbe probe, Completion gate)
        {
            await gate.WaitAsync();
            probe.Piece();
        }
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void What_goes_on_behind_a_function_does_not_wait_for_it_when_it_blocks(int processors) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: processors);
        var queue = new Workqueue("queue", null, scenario.System);
        Completion gate = new(), done = new();
        AsyncProbe[] probes = [.. Enumerable.Range(0, 3).Select(_ => new AsyncProbe
        {
            Inside = async (probe, _) =>
            {
                await gate.WaitAsync();
                probe.Piece();
                done.Complete();
            },
        })];
        foreach (AsyncProbe probe in probes)
            queue.Queue(new Work<AsyncProbe>(probe, AsyncProbe.Function));
        queue.Queue(new Work<Completion>(gate, gate =>
        {
            gate.CompleteAll();
            for (int i = 0; i < 3; i++)
                done.Wait();
        }));
        queue.Flush();
        Assert.All(probes, static probe => Assert.Equal(1, probe.Runs));
    }, schedules: 2000);

    [Fact]
    public void Runs_that_let_one_another_go_on() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Completion ping = new(), pong = new();
        AsyncProbe asks = new(), answers = new();
        asks.Inside = async (probe, _) =>
        {
            for (int i = 0; i < 3; i++)
            {
                ping.Complete();
                await pong.WaitAsync();
                probe.Piece();
            }
        };
        answers.Inside = async (probe, _) =>
        {
            for (int i = 0; i < 3; i++)
            {
                await ping.WaitAsync();
                probe.Piece();
                pong.Complete();
            }
        };
        Work<AsyncProbe> first = new(asks, AsyncProbe.Function), second = new(answers, AsyncProbe.Function);
        queue.Queue(first);
        queue.Queue(second);
        queue.Queue(new Work<Probe>(new Probe(), Probe.Function));
        first.Flush();
        queue.Queue(new Work<Probe>(new Probe(), Probe.Function));
        queue.Flush();
        Assert.Equal((WorkBusy.None, WorkBusy.None), (first.Busy, second.Busy));
    }, schedules: 2000);

    [Fact]
    public void What_is_posted_while_a_piece_ends_is_not_forgotten() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Completion gate = new(), end = new();
        var probe = new AsyncProbe();
        async Task Branch()
        {
            await gate.WaitAsync();
            probe.Piece();
            await gate.WaitAsync();
            probe.Piece();
        }

        probe.Inside = async (_, _) =>
        {
            Task[] branches = [Branch(), Branch(), Branch()];
            foreach (Task branch in branches)
                await branch;
            end.Complete();
        };
        queue.Queue(new Work<AsyncProbe>(probe, AsyncProbe.Function));
        var two = scenario.Run("completer", () =>
        {
            for (int i = 0; i < 3; i++)
                gate.Complete();
        });
        queue.Queue(new Work<Completion>(gate, static gate =>
        {
            for (int i = 0; i < 3; i++)
                gate.Complete();
        }));
        end.Wait();
        queue.Flush();
        two.Join();
        Assert.Equal(1, probe.Runs);
    }, schedules: 2000);

    [Fact]
    public void Cancel_sync_cancels_the_token_of_a_run_that_has_just_begun() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var never = new Completion();
        var probe = new AsyncProbe
        {
            Inside = async (_, token) =>
            {
                try
                {
                    await never.WaitAsync(token);
                }
                catch (OperationCanceledException)
                {
                }
            },
        };
        var work = new Work<AsyncProbe>(probe, AsyncProbe.Function);
        for (int i = 0; i < 2; i++)
        {
            queue.Queue(work);
            Scenario.Step();
            work.CancelSync();
            Assert.Equal(WorkBusy.None, work.Busy);
        }
    }, schedules: 2000);

    [Fact]
    public void What_a_function_started_and_did_not_wait_for_goes_on_after_it() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        var done = new Completion();
        var next = new AsyncProbe { Inside = async (_, _) => await gate.WaitAsync() };
        var probe = new AsyncProbe
        {
            Inside = (_, _) =>
            {
                _ = Stray();
                return default;
            },
        };
        queue.Queue(new Work<AsyncProbe>(probe, AsyncProbe.Function));
        queue.Queue(new Work<AsyncProbe>(next, AsyncProbe.Function));
        for (int i = 0; i < 3; i++)
        {
            gate.Complete();
            Scenario.Step();
        }

        done.Wait();
        queue.Flush();
        Assert.Equal((1, 1), (probe.Runs, next.Runs));

        async Task Stray()
        {
            await gate.WaitAsync();
            Scenario.Step();
            await gate.WaitAsync();
            done.Complete();
        }
    }, schedules: 2000);

    [Fact]
    public void An_awaiting_item_counts_for_the_queue_but_holds_no_worker() => Explorer.Explore(scenario =>
    {
        Workqueue ordered = Workqueue.Ordered("ordered", scenario.System);
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        int order = 0;
        ordered.Queue(new Work<AsyncProbe>(new AsyncProbe
        {
            Inside = async (_, _) =>
            {
                await gate.WaitAsync();
                Assert.Equal(0, order++);
            },
        }, AsyncProbe.Function));
        ordered.Queue(new Work<object?>(null, _ => Assert.Equal(1, order++)));
        queue.Queue(new Work<Completion>(gate, static g => g.Complete()));
        ordered.UnhandledException += (_, e) => scenario.Schedule.Fail(e.Exception);
        ordered.Flush();
        Assert.Equal(2, order);
    });

    [Fact]
    public void What_waits_behind_an_async_run_of_another_pool_is_not_forgotten() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        Workqueue ordered = Workqueue.Ordered("ordered", scenario.System);
        var gate = new Completion();
        var work = new Work<AsyncProbe>(new AsyncProbe { Inside = async (_, _) => await gate.WaitAsync() }, AsyncProbe.Function);
        var behind = new Probe();
        queue.Queue(work);
        ordered.Queue(work);
        ordered.Queue(new Work<Probe>(behind, Probe.Function));
        gate.CompleteAll();
        ordered.Flush();
        Assert.Equal(1, behind.Runs);
    });

    [Fact]
    public void An_async_item_that_queues_itself_and_cancel_sync() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new AsyncProbe();
        DelayedWork<AsyncProbe> work = new(probe, AsyncProbe.Function);
        int times = 0;
        probe.Inside = async (_, _) =>
        {
            if (++times < 4)
                queue.Queue(work, TimeSpan.FromMilliseconds(times % 2));
            await new Completion().WaitAsync(TimeSpan.FromMilliseconds(1));
        };
        queue.Queue(work, TimeSpan.FromMilliseconds(1));
        Worker.Sleep(TimeSpan.FromMilliseconds(1));
        var other = scenario.RunDetached("async canceller", async () => await work.CancelSyncAsync());
        work.CancelSync();
        int runs = probe.Runs;
        Assert.Equal(WorkBusy.None, work.Busy & WorkBusy.Running); // the other's cancel may hold it pending
        Worker.Sleep(TimeSpan.FromMilliseconds(20));
        queue.Flush();
        Assert.Equal(runs, probe.Runs);
        other.Join();
    });

    [Fact]
    public void An_exception_after_an_await_is_reported_and_the_item_is_over() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        int reported = 0;
        queue.UnhandledException += (_, _) => reported++;
        var gate = new Completion();
        var work = new Work<Completion>(gate, static async (gate, _) =>
        {
            await gate.WaitAsync();
            throw new InvalidDataException();
        });
        queue.Queue(work);
        gate.Complete();
        work.Flush();
        Assert.Equal(1, reported);
        Assert.Equal(WorkBusy.None, work.Busy);
    }, schedules: 500);
}
