using System.Text;
using Kworker;

namespace Conformance.Replay;

/// <summary>
/// Gives the threads of a system one CPU, as the recordings had: woken tasks run one after another, in the order in which they were woken, each
/// until it sleeps. It therefore knows when nothing moves any more. With <see cref="Schedule.AtOnce"/> the tasks run at the same time and are only counted.
/// </summary>
/// <remarks>
/// A task is asleep (not in <see cref="_tasks"/>), waiting for its turn (<see cref="State.Ready"/>, and in <see cref="_line"/>) or running.
/// woken: asleep -> ready. turn: ready -> running. parks: running -> asleep, or back into the line if it was woken meanwhile.
/// </remarks>
internal sealed class OneCpu(Schedule schedule) : TaskObserver
{
    /// <summary>How long nothing may happen at all before a task that still runs counts as hung. No answer depends on it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    /// <summary>Guards all of this; pulsed whenever something changed.</summary>
    private readonly object _lock = new();
    private readonly Dictionary<object, Task> _tasks = new(ReferenceEqualityComparer.Instance);
    private readonly Queue<Task> _line = new();
    private bool _takeTurns = schedule == Schedule.InTurn;
    private int _running;
    private bool _driverRuns;

    private enum State { Ready, Running }

    private sealed class Task(object thread)
    {
        public readonly object Thread = thread;
        public State State;
        public bool WokenAgain;
    }

    /// <summary>Does one operation of the scenario. No task runs before it is over, as with the recorder's thread on its CPU.</summary>
    public void Do(Action operation)
    {
        lock (_lock)
            _driverRuns = true;
        try
        {
            operation();
        }
        finally
        {
            lock (_lock)
            {
                _driverRuns = false;
                GiveTurn();
            }
        }
    }

    /// <summary>Waits until every task sleeps or has ended.</summary>
    public void WaitUntilQuiet()
    {
        lock (_lock)
        {
            while (_running > 0 || _line.Count > 0)
            {
                if (!Monitor.Wait(_lock, s_patience))
                    throw new TimeoutException($"not quiet, but nothing moved for {s_patience.TotalSeconds} s: {Describe()}");
            }
        }
    }

    /// <summary>From now on tasks run whenever they can: for the end of a scenario, where nothing is compared any more.</summary>
    public void LetGo()
    {
        lock (_lock)
        {
            _takeTurns = false;
            while (_line.TryDequeue(out var task))
                Start(task);
        }
    }

    internal override void Woken(object task)
    {
        lock (_lock)
        {
            if (!_tasks.TryGetValue(task, out var known))
                Enqueue(task);
            else if (known.State == State.Running)
                known.WokenAgain = true;
        }
    }

    internal override void Resuming(object task)
    {
        lock (_lock)
        {
            // Not woken by anything that reported it: it takes its place in the line now.
            if (!_tasks.TryGetValue(task, out var self))
                self = Enqueue(task);
            while (self.State != State.Running)
                Monitor.Wait(_lock);
        }
    }

    internal override void Parking(object task)
    {
        lock (_lock)
        {
            if (!_tasks.Remove(task, out var self))
                return;
            Leave(self);
            if (self.WokenAgain)
                Enqueue(task);
            GiveTurn();
        }
    }

    internal override void Ended(object task)
    {
        lock (_lock)
        {
            if (_tasks.Remove(task, out var self))
                Leave(self);
            GiveTurn();
        }
    }

    private Task Enqueue(object thread)
    {
        var task = new Task(thread);
        _tasks.Add(thread, task);
        if (_takeTurns)
            _line.Enqueue(task);
        else
            Start(task);
        GiveTurn();
        return task;
    }

    private void Start(Task task)
    {
        task.State = State.Running;
        _running++;
        Monitor.PulseAll(_lock);
    }

    private void Leave(Task task)
    {
        if (task.State == State.Running)
            _running--;
    }

    private void GiveTurn()
    {
        if (!_driverRuns && _running == 0 && _line.TryDequeue(out var next))
            Start(next);
        else
            Monitor.PulseAll(_lock);
    }

    private string Describe()
    {
        var text = new StringBuilder();
        foreach (var task in _tasks.Values)
            text.Append(text.Length == 0 ? "" : ", ").Append(task.Thread).Append(task.State == State.Running ? " (running)" : " (waits for its turn)");
        return text.ToString();
    }
}
