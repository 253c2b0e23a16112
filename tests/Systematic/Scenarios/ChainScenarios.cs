namespace Kworker.Systematic;

/// <summary>What a function queues on its own queue, which its worker puts behind it without a lock, against those who want it back, wait for it, or count it.</summary>
public sealed class ChainScenarios
{
    private static Work<Probe> Item(Probe probe) => new(probe, Probe.Function);

    [Fact]
    public void Cancel_takes_back_what_is_being_chained() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        Probe one = new(), two = new();
        Work<Probe> first = Item(one), second = Item(two);
        int firsts = 0, seconds = 0;
        var head = new Probe
        {
            Inside = () =>
            {
                firsts = queue.Queue(first) ? 1 : 0;
                seconds = queue.Queue(second) ? 1 : 0; // refused while the other cancels it
            },
        };
        queue.Queue(Item(head));
        int cancelled = first.Cancel() ? 1 : 0;
        int cancelledSync = second.CancelSync() ? 1 : 0;
        int runs = two.Runs;
        queue.Drain();
        Assert.Equal(1, head.Runs);
        Assert.Equal(firsts - cancelled, one.Runs);
        Assert.Equal(seconds - cancelledSync, two.Runs);
        Assert.True(cancelledSync == 0 || two.Runs == runs);
    });

    [Fact]
    public void A_flush_of_one_chained_ends_behind_it() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Probe one = new(), two = new();
        Work<Probe> first = Item(one), second = Item(two);
        int queued = 0;
        var head = new Probe
        {
            Inside = () =>
            {
                queue.Queue(first);
                Volatile.Write(ref queued, 1);
                queue.Queue(second);
                Volatile.Write(ref queued, 2);
            },
        };
        queue.Queue(Item(head));
        int before = Volatile.Read(ref queued);
        first.Flush();
        Assert.True(before < 1 || one.Runs == 1);
        before = Volatile.Read(ref queued);
        second.Flush();
        Assert.True(before < 2 || two.Runs == 1);
        queue.Drain();
        Assert.Equal(1, one.Runs);
        Assert.Equal(1, two.Runs);
    });

    [Fact]
    public void A_flush_of_the_queue_waits_for_what_was_chained_before() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var chained = new Completion();
        var probe = new Probe();
        Work<Probe> work = Item(probe);
        queue.Queue(Item(new Probe
        {
            Inside = () =>
            {
                queue.Queue(work);
                chained.Complete();
            },
        }));
        chained.Wait();
        queue.Flush();
        Assert.Equal(1, probe.Runs);
        Assert.Equal(WorkBusy.None, work.Busy);
    });

    [Fact]
    public void A_dispose_waits_for_a_chain() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        Work<Probe>[] works = new Work<Probe>[3];
        Probe[] probes = new Probe[3];
        for (int i = 2; i >= 0; i--)
        {
            Work<Probe>? next = i < 2 ? works[i + 1] : null;
            probes[i] = new Probe { Inside = () => _ = next is null || queue.Queue(next) };
            works[i] = Item(probes[i]);
        }

        queue.Queue(works[0]);
        queue.Dispose();
        Assert.All(probes, static probe => Assert.Equal(1, probe.Runs));
        Assert.Throws<ObjectDisposedException>(() => queue.Queue(works[0]));
    });

    [Fact]
    public void Two_that_chain_the_same_item() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        Work<Probe> work = Item(probe);
        int queued = 0;
        for (int i = 0; i < 2; i++)
        {
            queue.Queue(Item(new Probe
            {
                Inside = () =>
                {
                    if (queue.Queue(work))
                        Interlocked.Increment(ref queued);
                },
            }));
        }

        if (work.Cancel())
            Interlocked.Decrement(ref queued);
        work.Flush();
        queue.Drain();
        Assert.Equal(queued, probe.Runs);
    });

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_more_are_at_work_than_may(int maxActive) => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", new WorkqueueOptions { MaxActive = maxActive }, scenario.System);
        int atWork = 0;
        Probe Counting(Action inside) => new()
        {
            Inside = () =>
            {
                Assert.True(Interlocked.Increment(ref atWork) <= maxActive);
                inside();
                Interlocked.Decrement(ref atWork);
            },
        };
        var gate = new Completion();
        Probe last = Counting(static () => { }), waits = Counting(static () => { });
        Work<Probe> tail = Item(last), waiting = Item(waits);
        Probe middle = Counting(() => gate.Wait());
        Work<Probe> blocking = Item(middle);
        Probe head = Counting(() =>
        {
            queue.Queue(blocking);
            queue.Queue(tail);
        });
        queue.Queue(Item(head));
        queue.Queue(waiting);
        gate.Complete();
        queue.Drain();
        Assert.Equal((1, 1, 1, 1), (head.Runs, middle.Runs, last.Runs, waits.Runs));
    });

    [Fact]
    public void One_that_waits_for_what_it_has_chained() => Explorer.Explore(scenario =>
    {
        var queue = new Workqueue("queue", null, scenario.System);
        var gate = new Completion();
        Work<Probe> opens = Item(new Probe { Inside = gate.CompleteAll });
        var head = new Probe
        {
            Inside = () =>
            {
                queue.Queue(opens);
                gate.Wait();
            },
        };
        queue.Queue(Item(head));
        queue.Drain();
        Assert.Equal(1, head.Runs);
    });

    [Fact]
    public void Chained_by_one_and_begun_by_another() => Explorer.Explore(scenario =>
    {
        scenario.MakeSystem(processors: 2);
        var queue = new Workqueue("queue", null, scenario.System);
        var probe = new Probe();
        Work<Probe> work = Item(probe);
        int queued = 0;
        void QueueIt()
        {
            if (queue.Queue(work))
                Interlocked.Increment(ref queued);
        }

        queue.Queue(Item(new Probe { Inside = QueueIt }));
        queue.Queue(Item(new Probe()));
        QueueIt();
        bool flushed = work.Flush();
        if (work.CancelSync())
            Interlocked.Decrement(ref queued);
        queue.Drain();
        Assert.Equal(queued, probe.Runs);
        Assert.True(probe.Runs <= 2);
    });
}
