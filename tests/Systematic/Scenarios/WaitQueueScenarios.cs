namespace Kworker.Systematic;

public sealed class WaitQueueScenarios
{
    /// <summary>Things to be taken, with a line of those who want one: the use that exclusive waits are made for.</summary>
    private sealed class Store
    {
        private int _items;

        internal WaitQueue Takers { get; } = new();

        internal int Left => _items;

        internal void Add()
        {
            Seam.Increment(ref _items);
            Takers.WakeUp();
        }

        internal bool TryTake()
        {
            while (true)
            {
                int items = Seam.Read(in _items);
                if (items == 0)
                    return false;
                if (Seam.CompareExchange(ref _items, items - 1, items) == items)
                    return true;
            }
        }
    }

    [Fact]
    public void A_condition_made_true_before_the_wake_up_is_seen_by_all() => Explorer.Explore(scenario =>
    {
        var queue = new WaitQueue();
        int ready = 0;
        bool Ready() => Seam.Read(in ready) != 0;
        var one = scenario.Run("thread", () => queue.WaitEvent(Ready));
        var two = scenario.RunAsync("async", async () => await queue.WaitEventAsync(Ready));
        var three = scenario.RunDetached("detached", async () => await queue.WaitEventAsync(Ready));
        Seam.Write(ref ready, 1);
        queue.WakeUp();
        one.Join();
        two.Join();
        three.Join();
        Assert.False(queue.IsActive);
    });

    [Fact]
    public void Each_thing_goes_to_a_taker() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        var one = scenario.Run("thread", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        var two = scenario.RunAsync("async", async () => await store.Takers.WaitEventAsync(store.TryTake, default(WaitMode), exclusive: true));
        var three = scenario.Run("giver", store.Add);
        store.Add();
        one.Join();
        two.Join();
        three.Join();
        Assert.Equal(0, store.Left);
    }, schedules: 2000);

    [Fact]
    public void A_taker_whose_time_is_over_takes_no_wake_up_from_another() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        bool took = false;
        var one = scenario.Run("impatient", () =>
            took = store.Takers.WaitEvent(store.TryTake, TimeSpan.FromMilliseconds(5), default, exclusive: true));
        var two = scenario.Run("patient", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        store.Add();
        one.Join();
        if (took)
            store.Add();
        two.Join();
    }, schedules: 3000);

    [Fact]
    public void A_taker_that_is_cancelled_leaves_the_thing_to_another() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        using var source = new CancellationTokenSource();
        bool took = false;
        var one = scenario.RunAsync("cancelled", async () =>
        {
            try
            {
                took = await store.Takers.WaitEventAsync(store.TryTake, default(WaitMode), exclusive: true, source.Token);
            }
            catch (OperationCanceledException)
            {
            }
        });
        var two = scenario.Run("other", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        var three = scenario.Run("canceller", source.Cancel);
        store.Add();
        one.Join();
        if (took)
            store.Add();
        two.Join();
        three.Join();
    }, schedules: 3000);

    [Fact]
    public void A_taker_that_is_signalled_leaves_the_thing_to_another() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        Kthread one = Kthread.Run(
            static s => s.Takers.WaitEvent(s.TryTake, WaitMode.Interruptible, exclusive: true) ? 1 : 0, store, "signalled", scenario.System);
        var two = scenario.Run("other", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        var three = scenario.Run("signaller", one.Signal);
        store.Add();
        if (one.Stop() == 1)
            store.Add();
        two.Join();
        three.Join();
    }, schedules: 3000);

    [Fact]
    public void A_taker_whose_condition_throws_leaves_the_thing_to_another() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        int looks = 0;
        var one = scenario.Run("thrower", () => Assert.Throws<InvalidOperationException>(() =>
            store.Takers.WaitEvent(() => ++looks > 1 ? throw new InvalidOperationException() : false, default(WaitMode), exclusive: true)));
        var two = scenario.Run("other", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        store.Add();
        one.Join();
        two.Join();
    }, schedules: 2000);

    [Fact]
    public void A_taker_served_before_its_wake_up_passes_it_on() => Explorer.Explore(scenario =>
    {
        var store = new Store();
        var one = scenario.Run("one", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        var two = scenario.Run("two", () => store.Takers.WaitEvent(store.TryTake, default(WaitMode), exclusive: true));
        var three = scenario.Run("giver", store.Add);
        store.Add();
        one.Join();
        two.Join();
        three.Join();
    }, schedules: 4000);

    [Fact]
    public void A_condition_that_holds_wins_over_time_and_token() => Explorer.Explore(scenario =>
    {
        var queue = new WaitQueue();
        using var source = new CancellationTokenSource();
        int ready = 0;
        var one = scenario.Run("thread", () =>
        {
            try
            {
                WaitResult result = queue.WaitEvent(() => Seam.Read(in ready) != 0, TimeSpan.FromMilliseconds(5), default, exclusive: false, source.Token);
                Assert.True(result.IsDone || result.IsTimedOut);
            }
            catch (OperationCanceledException)
            {
                Assert.True(source.IsCancellationRequested);
            }
        });
        var two = scenario.Run("canceller", source.Cancel);
        Seam.Write(ref ready, 1);
        queue.WakeUpAll();
        one.Join();
        two.Join();
        Assert.False(queue.IsActive);
    });

    [Fact]
    public void A_wait_in_a_condition_is_a_wait_of_its_own() => Explorer.Explore(scenario =>
    {
        var outer = new WaitQueue();
        var inner = new Completion();
        int ready = 0;
        var one = scenario.Run("thread", () => outer.WaitEvent(() =>
        {
            inner.Wait();
            return Seam.Read(in ready) != 0;
        }));
        inner.Complete();
        outer.WakeUp();
        Seam.Write(ref ready, 1);
        outer.WakeUp();
        inner.CompleteAll();
        one.Join();
    });

    [Fact]
    public void A_wake_up_that_sees_nobody_need_not_be_heard() => Explorer.Explore(scenario =>
    {
        // The waker looks at the line without its lock: whoever comes later sees what it changed.
        var queue = new WaitQueue();
        int turn = 0;
        var other = scenario.Run("other", () =>
        {
            for (int i = 0; i < 2; i++)
            {
                queue.WaitEvent(() => Seam.Read(in turn) == (2 * i) + 1);
                Seam.Write(ref turn, (2 * i) + 2);
                queue.WakeUp();
            }
        });
        for (int i = 0; i < 2; i++)
        {
            Seam.Write(ref turn, (2 * i) + 1);
            queue.WakeUp();
            queue.WaitEvent(() => Seam.Read(in turn) == (2 * i) + 2);
        }

        other.Join();
    }, schedules: 2000);
}
