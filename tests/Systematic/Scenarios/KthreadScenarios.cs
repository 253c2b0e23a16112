namespace Kworker.Systematic;

public sealed class KthreadScenarios
{
    /// <summary>What Stop returns when it came before the thread.</summary>
    private const int NeverRan = -Errno.EINTR;

    [Fact]
    public void Stop_ends_a_wait_that_asks_for_it() => Explorer.Explore(scenario =>
    {
        var queue = new WaitQueue();
        Kthread kthread = Kthread.Run(
            static q =>
            {
                q.WaitEvent(static () => Kthread.ShouldStop);
                return 5;
            }, queue, "kthread", scenario.System);
        int result = kthread.Stop();
        Assert.True(result is 5 or NeverRan);
        Assert.Equal(result, kthread.Stop());
    });

    [Fact]
    public void Start_and_stop_race() => Explorer.Explore(scenario =>
    {
        int ran = 0;
        Kthread kthread = Kthread.Create(_ => ++ran, 0, "kthread", scenario.System);
        var one = scenario.Run("starter", kthread.Start);
        var two = scenario.RunAsync("stopper", async () => await kthread.StopAsync());
        int result = kthread.Stop();
        one.Join();
        two.Join();
        Assert.Equal(ran == 1 ? 1 : NeverRan, result);
    });

    [Fact]
    public void Start_that_fails_and_stop() => Explorer.Explore(scenario =>
    {
        scenario.Schedule.ThreadsRefused = 1;
        Kthread kthread = Kthread.Create(static _ => 1, 0, "kthread", scenario.System);
        var one = scenario.Run("starter", () => Assert.ThrowsAny<OutOfMemoryException>(kthread.Start));
        one.Join();
        Assert.Equal(-Errno.EINTR, kthread.Stop());
    }, schedules: 50);

    [Fact]
    public void Start_that_fails_while_somebody_stops() => Explorer.Explore(scenario =>
    {
        scenario.Schedule.ThreadsRefused = 1;
        Kthread kthread = Kthread.Create(static _ => 1, 0, "kthread", scenario.System);
        var one = scenario.Run("starter", () =>
        {
            try
            {
                kthread.Start();
            }
            catch (OutOfMemoryException)
            {
            }
        });
        Assert.Equal(-Errno.EINTR, kthread.Stop());
        one.Join();
    }, schedules: 500);

    [Fact]
    public void Park_waits_until_it_has_parked_and_unpark_lets_it_go() => Explorer.Explore(scenario =>
    {
        int rounds = 0;
        bool parked = false;
        Kthread kthread = Kthread.Run(
            _ =>
            {
                while (!Kthread.ShouldStop)
                {
                    Kthread.ParkMe();
                    if (parked)
                        Schedule.Current.Fail(new ScheduleException("It runs while parked."));
                    rounds++;
                    var spin = new SpinWait();
                    Seam.Spin(ref spin);
                }

                return 0;
            }, 0, "kthread", scenario.System);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(0, kthread.Park());
            parked = true;
            Scenario.Step();
            Assert.Equal(-Errno.EBUSY, kthread.Park());
            Scenario.Step();
            parked = false;
            kthread.Unpark();
        }

        Assert.Equal(0, kthread.Stop());
    });

    [Fact]
    public void Park_unpark_and_stop_race() => Explorer.Explore(scenario =>
    {
        var queue = new WaitQueue();
        Kthread kthread = Kthread.Create(
            static async q =>
            {
                while (!Kthread.ShouldStop)
                {
                    await q.WaitEventAsync(static () => Kthread.ShouldStop || Kthread.ShouldPark);
                    await Kthread.ParkMeAsync();
                }

                return 3;
            }, queue, "kthread", scenario.System);
        var one = scenario.Run("parker", () =>
        {
            int parked = kthread.Park();
            Assert.True(parked is 0 or -Errno.ENOSYS or -Errno.EBUSY);
            kthread.Unpark();
        });
        kthread.Start();
        Scenario.Step();
        one.Join();
        Assert.True(kthread.Stop() is 3 or NeverRan);
        Assert.Equal(-Errno.ENOSYS, kthread.Park());
    });

    [Fact]
    public void An_end_is_seen_by_who_parks() => Explorer.Explore(scenario =>
    {
        Kthread kthread = Kthread.Run(static _ => 9, 0, "kthread", scenario.System);
        Assert.True(kthread.Park() is 0 or -Errno.ENOSYS);
        kthread.Unpark();
        Assert.True(kthread.Stop() is 9 or NeverRan);
    }, schedules: 500);

    [Fact]
    public void Signals_before_and_during_waits_are_not_lost() => Explorer.Explore(scenario =>
    {
        var queue = new WaitQueue();
        var began = new Completion();
        Kthread kthread = Kthread.Run(
            q =>
            {
                WaitResult first = q.WaitEvent(static () => false, WaitMode.Killable);
                WaitResult second = q.WaitEvent(static () => false, WaitMode.Interruptible);
                Kthread.FlushSignals();
                WaitResult third = q.WaitEvent(static () => Kthread.SignalPending, TimeSpan.FromMilliseconds(3), WaitMode.Interruptible);
                began.Complete();
                return first.IsInterrupted && second.IsInterrupted && third.IsTimedOut ? 1 : 0;
            }, queue, "kthread", scenario.System);
        kthread.Signal();
        queue.WakeUpAll();
        kthread.Kill();
        began.Wait();
        Assert.Equal(1, kthread.Stop());
    });

    [Fact]
    public void An_async_body_that_is_stopped() => Explorer.Explore(scenario =>
    {
        var step = new Completion();
        Kthread kthread = Kthread.Run(
            static async step =>
            {
                Kthread self = Kthread.Current!;
                for (int i = 0; i < 2; i++)
                {
                    await step.WaitAsync();
                    Assert.Same(self, Kthread.Current);
                }

                return 2;
            }, step, "kthread", scenario.System);
        step.Complete();
        step.Complete();
        Assert.True(kthread.Stop() is 2 or NeverRan);
    }, schedules: 500);
}
