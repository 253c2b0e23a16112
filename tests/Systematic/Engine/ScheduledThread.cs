using System.Diagnostics;

namespace Kworker.Systematic;

/// <summary>
/// A thread of a schedule: a real one, which goes on only when it has the turn. All fields but <c>_go</c> belong to who has the turn.
/// <para>
/// <c>New</c> → <c>Runnable</c> (it has arrived) ⇄ <c>Asleep</c> (until <see cref="Wake"/> or until <see cref="WakeAt"/>) → <c>Ended</c>.
/// </para>
/// </summary>
[DebuggerDisplay("{Name,nq}: {State}")]
internal sealed class ScheduledThread(Schedule schedule, int number)
{
    [ThreadStatic]
    private static ScheduledThread? t_current;

    private readonly object _gate = new();
    private readonly ManualResetEventSlim _arrived = new(initialState: false, spinCount: 0);
    private bool _go; // under _gate

    /// <summary>The one that the caller is; null on threads under no schedule.</summary>
    internal static ScheduledThread? Current => t_current;

    internal Schedule Schedule => schedule;

    internal int Number => number;

    internal string Name { get; set; } = $"thread {number}";

    internal ThreadState State { get; set; } = ThreadState.New;

    /// <summary>When time wakes it, in milliseconds of the schedule; <see cref="long.MaxValue"/> for never.</summary>
    internal long WakeAt { get; private set; } = long.MaxValue;

    /// <summary>It spins: it has nothing to do until another has made a step.</summary>
    internal bool IsSpinning { get; set; }

    /// <summary>For strategies by priority: higher goes first.</summary>
    internal double Priority { get; set; }

    /// <summary>Drives the schedule's time; the schedule ends without it.</summary>
    internal bool IsClock { get; init; }

    internal Step LastStep { get; set; }

    /// <summary>The thread that it prepared last.</summary>
    internal ScheduledThread? LastAdded { get; set; }

    /// <summary>First thing on its thread: says so to who started it, and waits for the turn.</summary>
    internal void Arrive()
    {
        t_current = this;
        Name = Thread.CurrentThread.Name ?? Name;
        _arrived.Set();
        WaitForTurn();
    }

    internal void AwaitArrival() => _arrived.Wait();

    /// <summary>Last thing on its thread.</summary>
    internal void End()
    {
        State = ThreadState.Ended;
        t_current = null;
        schedule.Yield(this);
    }

    internal void Sleep(long until)
    {
        State = ThreadState.Asleep;
        WakeAt = until;
        schedule.Yield(this);
    }

    internal void Wake()
    {
        if (State != ThreadState.Asleep)
            return;
        State = ThreadState.Runnable;
        WakeAt = long.MaxValue;
    }

    internal void GiveTurn()
    {
        lock (_gate)
        {
            _go = true;
            Monitor.Pulse(_gate);
        }
    }

    internal void WaitForTurn()
    {
        lock (_gate)
        {
            while (!_go)
                Monitor.Wait(_gate);
            _go = false;
        }
    }

    internal enum ThreadState
    {
        New,
        Runnable,
        Asleep,
        Ended,
    }
}
