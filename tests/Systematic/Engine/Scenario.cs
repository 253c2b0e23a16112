namespace Kworker.Systematic;

/// <summary>What a scenario's body works with. The body is the schedule's first thread.</summary>
internal sealed class Scenario(Schedule schedule)
{
    private readonly List<Thread> _threads = [];
    private KworkerSystem? _system;

    internal Schedule Schedule => schedule;

    /// <summary>A system of the scenario's own on the schedule's time, one running worker a pool. Disposed of when the body has ended.</summary>
    internal KworkerSystem System => _system ??= MakeSystem(processors: 1);

    /// <summary>The library has something to complain of.</summary>
    internal bool LogsMayCome { get; set; }

    internal KworkerSystem MakeSystem(int processors, TimerLimits? ownTimerThread = null, Action<string>? beforeThread = null)
    {
        _system = new KworkerSystem(new KworkerSystemOptions
        {
            TimeProvider = schedule.Time,
            Processors = processors,
            OwnTimerThread = ownTimerThread,
            Monitor = false,
            BeforeThread = beforeThread,
            PoolStallLimit = Timeout.InfiniteTimeSpan,
            LongItemLimit = Timeout.InfiniteTimeSpan,
            HungTaskLimit = Timeout.InfiniteTimeSpan,
            Log = text =>
            {
                if (!LogsMayCome)
                    schedule.Fail(new ScheduleException(text));
            },
        });
        KworkerSystem.Enter(_system);
        return _system;
    }

    /// <summary>Starts a thread.</summary>
    internal Thread Run(string name, Action body)
    {
        var thread = new Thread();
        KworkerSystem system = System;
        _threads.Add(thread);
        schedule.Launch(schedule.AddThread(), name, () =>
        {
            KworkerSystem.Enter(system);
            body();
            thread.Finish();
        });
        Schedule.Point(Systematic.Step.Start);
        return thread;
    }

    /// <summary>Starts a thread that runs an async method: what follows its awaits comes back to it.</summary>
    internal Thread RunAsync(string name, Func<ValueTask> body) => Run(name, () => KthreadContext.Run(async () =>
    {
        await body();
        return 0;
    }));

    /// <summary>Starts an async method that goes on wherever the library lets it: on a pool's workers.</summary>
    internal Thread RunDetached(string name, Func<ValueTask> body) => Run(name, () =>
    {
        var done = new Completion();
        Exception? failure = null;
        Detach(async () =>
        {
            try
            {
                await body();
            }
            catch (Exception e)
            {
                failure = e;
            }

            done.Complete();
        });
        done.Wait();
        if (failure is not null)
            schedule.Fail(failure);

        static async void Detach(Func<ValueTask> method) => await method();
    });

    /// <summary>A step of the scenario's own, where others may go on.</summary>
    internal static void Step() => Schedule.Point(Systematic.Step.User);

    /// <summary>The body is over.</summary>
    internal void End()
    {
        foreach (Thread thread in _threads)
            thread.Join();
        _system?.Dispose();
    }

    /// <summary>A thread of a scenario.</summary>
    internal sealed class Thread
    {
        private readonly List<ScheduledThread> _joining = [];

        internal bool HasEnded { get; private set; }

        internal void Join()
        {
            Schedule.Point(Systematic.Step.User);
            while (!HasEnded)
            {
                _joining.Add(ScheduledThread.Current!);
                ScheduledThread.Current!.Sleep(long.MaxValue);
            }
        }

        internal void Finish()
        {
            HasEnded = true;
            foreach (ScheduledThread thread in _joining)
                thread.Wake();
        }
    }
}
