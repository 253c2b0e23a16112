namespace Kworker.Stress.Actors;

/// <summary>Kthreads: run, park, unpark, signal, stop, from several threads at once.</summary>
internal sealed class KthreadActor(World world, string name, int seed) : Actor(world, name, seed)
{
    private const int EINTR = -4, EBUSY = -16, ENOSYS = -38;

    protected override void Act()
    {
        while (IsOn)
            Live();
    }

    private void Live()
    {
        var body = new Body(World);
        int result = Random.Next(-1000, 1000);
        bool throws = Chance(0.2), endsAlone = Chance(0.1), isAsync = Chance(0.4);
        body.Steps = endsAlone ? Random.Next(20) : int.MaxValue;
        Doing("make");
        Kthread kthread = isAsync
            ? Kthread.Create(async body => { await body.RunAsync(); return throws ? throw World.ThrownByKthread() : result; }, body, "st/kthread", World.System)
            : Kthread.Create(body => { body.Run(); return throws ? throw World.ThrownByKthread() : result; }, body, "st/kthread", World.System);
        World.Watch(kthread, "kthread");
        bool started = Chance(0.9);
        if (started)
            kthread.Start();
        bool hasRun = false;
        for (int i = Random.Next(8); i > 0; i--)
        {
            switch (Random.Next(5))
            {
                case 0:
                    Doing("park");
                    int parked = Chance(0.5) ? kthread.Park() : kthread.ParkAsync().AsTask().GetAwaiter().GetResult();
                    started = true; // a thread that was not started is made by this, and parks before it enters its function
                    if (parked != 0 && !(parked == ENOSYS && endsAlone))
                        Verdict.Fail($"{Name}: park returned {parked}");
                    if (parked == 0)
                    {
                        long steps = body.Taken;
                        Spin(200);
                        if (body.Taken != steps)
                            Verdict.Fail($"{Name}: a parked thread goes on");
                        if (Chance(0.7))
                        {
                            Doing("park again");
                            int again = kthread.Park();
                            if (again != EBUSY)
                                Verdict.Fail($"{Name}: park of a parked thread returned {again}");
                        }

                        kthread.Unpark();
                    }

                    break;
                case 1:
                    kthread.Signal();
                    break;
                case 2:
                    kthread.WakeUp();
                    break;
                case 3 when started && !endsAlone:
                    Doing("wait for it to go on");
                    body.Ask();
                    hasRun = true;
                    break;
                default:
                    kthread.Unpark();
                    break;
            }
        }

        Doing("stop");
        int first = Stop(kthread, throws), second = Stop(kthread, throws);
        if (first != second)
            Verdict.Fail($"{Name}: stop returned {first}, then {second}");
        int expected = throws ? int.MinValue : result;
        if (first != expected && (first != EINTR || hasRun))
            Verdict.Fail($"{Name}: stop returned {first}, not {expected}");
        if (!kthread.HasExited || kthread.Park() != ENOSYS)
            Verdict.Fail($"{Name}: a thread that was stopped has not ended");
    }

    private int Stop(Kthread kthread, bool throws)
    {
        try
        {
            return Chance(0.5) ? kthread.Stop() : kthread.StopAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (StressFailure) when (throws)
        {
            return int.MinValue;
        }
    }

    /// <summary>What the thread does: waits to be asked, and answers; parks and stops when it is to.</summary>
    private sealed class Body(World world)
    {
        private readonly WaitQueue _asked = new();
        private readonly Completion _answered = new();
        private int _questions;
        private long _taken;

        internal int Steps { get; set; }

        internal long Taken => Volatile.Read(ref _taken);

        internal void Ask()
        {
            Interlocked.Increment(ref _questions);
            _asked.WakeUp();
            _answered.Wait();
        }

        internal void Run()
        {
            while (!Kthread.ShouldStop && Steps-- > 0)
            {
                Kthread.ParkMe();
                Interlocked.Increment(ref _taken);
                WaitResult result = _asked.WaitEvent(MayGoOn, Steps > 100 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(0.5), WaitMode.Interruptible);
                After(result);
            }
        }

        internal async ValueTask RunAsync()
        {
            while (!Kthread.ShouldStop && Steps-- > 0)
            {
                await Kthread.ParkMeAsync();
                Interlocked.Increment(ref _taken);
                WaitResult result = await _asked.WaitEventAsync(
                    MayGoOn, Steps > 100 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(0.5), WaitMode.Interruptible);
                After(result);
                if (Kthread.Current is null)
                    world.Verdict.Fail("an async kthread goes on elsewhere");
            }
        }

        private bool MayGoOn() => Volatile.Read(ref _questions) > 0 || Kthread.ShouldStop || Kthread.ShouldPark;

        private void After(WaitResult result)
        {
            if (result.IsInterrupted)
                Kthread.FlushSignals();
            if (Volatile.Read(ref _questions) > 0)
            {
                Interlocked.Decrement(ref _questions);
                _answered.Complete();
            }
        }
    }
}
