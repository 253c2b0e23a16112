using System.Diagnostics;
using System.Text;

namespace Kworker.Systematic;

/// <summary>
/// One run of a scenario under control: real threads, of which one has the turn. At each step of the seam the strategy says who has it next; so the
/// seed alone decides the interleaving. What can happen is explored as sequentially consistent: reordering by the processor is not.
/// <para>
/// Time is the schedule's own. When nobody can run it goes to the next sleeper's; it may also go on earlier, for a thread may be slow.
/// </para>
/// Fields belong to who has the turn.
/// </summary>
internal sealed class Schedule
{
    /// <summary>So long may a scenario go on before it counts as stuck in a circle.</summary>
    private const int MaxSteps = 50_000;

    private readonly Strategy _strategy;
    private readonly List<ScheduledThread> _threads = [];
    private readonly List<ScheduledThread> _able = [];
    private readonly long _horizon;
    private readonly List<(int Thread, Step Step, string? Place)> _trace = [];
    private readonly bool _tracesPlaces;
    private readonly ManualResetEventSlim _finished = new();
    private volatile bool _failed;

    internal Schedule(Strategy strategy, TimeSpan horizon, bool tracesPlaces)
    {
        _strategy = strategy;
        _horizon = (long)horizon.TotalMilliseconds;
        _tracesPlaces = tracesPlaces;
        Time = new ScheduledTime(this);
    }

    internal static Schedule Current =>
        ScheduledThread.Current?.Schedule ?? throw new InvalidOperationException("Not on a thread of a schedule.");

    /// <summary>Milliseconds since it began.</summary>
    internal long Now { get; private set; }

    internal ScheduledTime Time { get; }

    internal int Steps { get; private set; }

    private Action? _atEnd;

    /// <summary>What went wrong first.</summary>
    internal Exception? Failure { get; private set; }

    /// <summary>So many of the next starts of a thread fail, as when memory is short.</summary>
    internal int ThreadsRefused { get; set; }

    internal int ThreadsStarted { get; private set; }

    /// <summary>Equal for equal interleavings.</summary>
    internal int Fingerprint
    {
        get
        {
            var hash = new HashCode();
            foreach ((int thread, Step step, _) in _trace)
                hash.Add((thread, step));
            return hash.ToHashCode();
        }
    }

    /// <summary>Runs <paramref name="main"/> as the first thread, until all threads have ended. Called from outside.</summary>
    internal void Run(Action main)
    {
        ScheduledThread first = AddThread();
        Launch(first, "main", main);
        first.GiveTurn();
        if (!_finished.Wait(TimeSpan.FromSeconds(60)))
            Failure ??= new TimeoutException($"A thread blocks where the scheduler does not see it:{Describe()}");
        if (Failure is not null)
            return;
        try
        {
            _atEnd?.Invoke();
        }
        catch (Exception e)
        {
            Failure = e;
        }
    }

    /// <summary>A thread of the scenario's own, able to run from here.</summary>
    internal ScheduledThread Launch(ScheduledThread thread, string name, Action body)
    {
        var real = new Thread(
            () =>
            {
                new Parker(thread).Adopt();
                try
                {
                    body();
                }
                catch (Exception e)
                {
                    Fail(e);
                }

                thread.End();
            }, maxStackSize: 256 * 1024)
        { IsBackground = true, Name = name };
        real.UnsafeStart();
        thread.AwaitArrival();
        thread.State = ScheduledThread.ThreadState.Runnable;
        return thread;
    }

    /// <summary>Lets an item run on a thread that is none of the library's: what the thread pool is to the product.</summary>
    internal static void RunElsewhere(IThreadPoolWorkItem item)
    {
        if (ScheduledThread.Current is { } current)
            current.Schedule.Launch(current.Schedule.AddThread(), "pool", item.Execute);
        else
            ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false);
    }

    internal ScheduledThread AddThread(bool isClock = false)
    {
        var thread = new ScheduledThread(this, _threads.Count) { IsClock = isClock };
        _threads.Add(thread);
        _strategy.Added(thread);
        if (ScheduledThread.Current is { } maker)
            maker.LastAdded = thread;
        return thread;
    }

    /// <summary>The thread on which timers fire; it has nothing to do until then.</summary>
    internal ScheduledThread LaunchClock()
    {
        ScheduledThread clock = AddThread(isClock: true);
        return Launch(clock, "clock", () => Time.Drive(clock));
    }

    /// <summary>A thread of the library's own.</summary>
    internal static void Start(Thread thread, object? state)
    {
        Schedule schedule = Current;
        Point(Step.Start);
        ScheduledThread added = ScheduledThread.Current!.LastAdded!; // its parker was made by the same thread
        if (schedule.ThreadsRefused > 0)
        {
            schedule.ThreadsRefused--;
            added.State = ScheduledThread.ThreadState.Ended;
            throw new OutOfMemoryException("No thread, on purpose.");
        }

        thread.UnsafeStart(state);
        added.AwaitArrival();
        added.State = ScheduledThread.ThreadState.Runnable;
        schedule.ThreadsStarted++;
        Point(Step.Start);
    }

    /// <summary>Where another thread may get the turn.</summary>
    internal static void Point(Step step)
    {
        if (ScheduledThread.Current is not { } thread)
            return;
        Schedule schedule = thread.Schedule;
        schedule.Record(thread, step);
        foreach (ScheduledThread other in schedule._threads)
        {
            if (!ReferenceEquals(other, thread))
                other.IsSpinning = false;
        }

        schedule.Yield(thread);
    }

    /// <summary>False on a thread under no schedule.</summary>
    internal static bool Spin()
    {
        if (ScheduledThread.Current is not { } thread)
            return false;
        Schedule schedule = thread.Schedule;
        schedule.Record(thread, Step.Spin);
        thread.IsSpinning = true;
        schedule._strategy.Spun(thread);
        schedule.Yield(thread);
        return true;
    }

    /// <summary>Gives the turn to whom the strategy chooses; returns when this thread has it again, at once when it has ended.</summary>
    internal void Yield(ScheduledThread thread)
    {
        if (_failed)
            Halt();
        ScheduledThread? next = Next(thread);
        if (next is null)
        {
            _finished.Set();
            if (thread.State != ScheduledThread.ThreadState.Ended)
                Halt(); // the clock, or a failure
            return;
        }

        if (ReferenceEquals(next, thread))
            return;
        next.GiveTurn();
        if (thread.State != ScheduledThread.ThreadState.Ended)
            thread.WaitForTurn();
    }

    /// <summary>To be looked at when all threads have ended.</summary>
    internal void AtEnd(Action check) => _atEnd += check;

    /// <summary>Ends the schedule: from here no thread goes on.</summary>
    internal void Fail(Exception failure)
    {
        Failure ??= failure;
        _failed = true;
        _finished.Set();
        Halt();
    }

    private ScheduledThread? Next(ScheduledThread current)
    {
        if (Steps > MaxSteps)
            Fail(new ScheduleException($"No end after {MaxSteps} steps:{Describe()}"));
        _able.Clear();
        long nextTime = long.MaxValue;
        bool othersLeft = false, spinning = false;
        foreach (ScheduledThread thread in _threads)
        {
            if (thread.State == ScheduledThread.ThreadState.Runnable)
            {
                if (thread.IsSpinning)
                    spinning = true;
                else
                    _able.Add(thread);
            }

            if (thread.State == ScheduledThread.ThreadState.Asleep && thread.WakeAt < nextTime)
                nextTime = thread.WakeAt;
            othersLeft |= thread.State != ScheduledThread.ThreadState.Ended && !thread.IsClock;
        }

        if (!othersLeft)
            return null;
        bool timeCanPass = nextTime <= _horizon;
        if (timeCanPass && (_able.Count == 0 || _strategy.TimeMayPass()))
        {
            foreach (ScheduledThread thread in _threads)
            {
                if (thread.State == ScheduledThread.ThreadState.Asleep && thread.WakeAt == nextTime)
                    _able.Add(thread);
            }
        }

        if (_able.Count == 0 && spinning)
        {
            foreach (ScheduledThread thread in _threads)
            {
                if (thread.State == ScheduledThread.ThreadState.Runnable)
                    _able.Add(thread);
            }
        }

        if (_able.Count == 0)
            Fail(new ScheduleException($"Nobody can go on:{Describe()}"));
        ScheduledThread next = _strategy.Choose(_able, current);
        if (next.State == ScheduledThread.ThreadState.Asleep)
        {
            Now = Math.Max(Now, next.WakeAt);
            next.Wake();
        }

        return next;
    }

    private void Record(ScheduledThread thread, Step step)
    {
        if (_failed)
            Halt();
        Steps++;
        thread.LastStep = step;
        _trace.Add((thread.Number, step, _tracesPlaces ? Place() : null));
    }

    /// <summary>The method of the library or the scenario that makes the step.</summary>
    private static string Place()
    {
        var names = new List<string>();
        foreach (StackFrame frame in new StackTrace(3, fNeedFileInfo: false).GetFrames())
        {
            if (frame.GetMethod() is not { DeclaringType: { } type } method || type.Namespace?.StartsWith("Kworker", StringComparison.Ordinal) != true)
                continue;
            if (type == typeof(Seam) || type == typeof(Spinlock) || type == typeof(Schedule) || type == typeof(Parker))
                continue;
            names.Add($"{type.Name}.{method.Name}");
            if (names.Count == 3)
                break;
        }

        return string.Join(" < ", names);
    }

    /// <summary>The last steps, one a line.</summary>
    internal string Trace(int last)
    {
        var text = new StringBuilder();
        foreach ((int thread, Step step, string? place) in _trace.Skip(Math.Max(0, _trace.Count - last)))
            text.Append('\n').Append("    ").Append(_threads[thread].Name).Append(": ").Append(step).Append("  ").Append(place);
        return text.ToString();
    }

    private string Describe()
    {
        var text = new StringBuilder();
        foreach (ScheduledThread thread in _threads)
        {
            if (thread.State != ScheduledThread.ThreadState.Ended && !thread.IsClock)
                text.Append("\n  ").Append(thread.Name).Append(": ").Append(thread.State).Append(", last step ").Append(thread.LastStep);
        }

        return text.ToString();
    }

    /// <summary>The schedule is over and the thread in the middle of something: it stays there, and the process's end takes it along.</summary>
    private static void Halt() => Thread.Sleep(Timeout.Infinite);
}

/// <summary>What a schedule showed that no exception did: nobody can go on, or no end.</summary>
internal sealed class ScheduleException(string message) : Exception(message);
