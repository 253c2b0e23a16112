using Conformance.Scenarios;
using Kworker;
using Microsoft.Extensions.Time.Testing;

namespace Conformance.Replay;

/// <summary>Where one scenario takes place: a system of its own on fake time, its one CPU, and its tasks.</summary>
internal sealed class World : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly OneCpu _cpu;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Kthread> _tasks = [];
    private Answer _given = new();
    private volatile bool _closing;

    public World(Waiters waiters, Schedule schedule)
    {
        Waiters = waiters;
        _cpu = new OneCpu(schedule);
        System = new KworkerSystem(new KworkerSystemOptions { TimeProvider = _time, Observer = _cpu });
    }

    public Waiters Waiters { get; }
    public KworkerSystem System { get; }

    /// <summary>Set when the scenario is over and its tasks are to go home, whatever they wait for.</summary>
    public bool Closing => _closing;

    /// <summary>Does one step and returns what came of it once nothing moves any more.</summary>
    public Answer Do(Action<Answer> operation)
    {
        var given = new Answer();
        lock (_lock)
            _given = given;
        _cpu.Do(() => operation(given));
        _cpu.WaitUntilQuiet();
        return given;
    }

    /// <summary>Lets time pass, a millisecond at a time, so that what falls due earlier has its effects before what falls due later.</summary>
    public Answer Elapse(int milliseconds)
    {
        var given = Do(_ => { });
        for (var i = 0; i < milliseconds; i++)
        {
            _cpu.Do(() => _time.Advance(TimeSpan.FromMilliseconds(1)));
            _cpu.WaitUntilQuiet();
        }

        return given;
    }

    /// <summary>Adds to the answer of the step at hand; called by tasks and work functions.</summary>
    public void Tell(Action<Answer> addition)
    {
        lock (_lock)
            addition(_given);
    }

    /// <summary>Starts a task that makes one call; when that comes back, the step at hand says so. The result is JSON text.</summary>
    public void StartTask(string name, Func<string> call, Func<ValueTask<string>> callAsync)
    {
        if (_tasks.ContainsKey(name))
            throw new FormatException($"there is a task '{name}' already");
        _tasks.Add(name, Run(name, call, callAsync, value => Tell(answer => answer.Returned.Add(Answer.Returning(name, value)))));
    }

    /// <summary>Makes a call that may block, but is due to come back within its step, and answers with its result.</summary>
    public void Call(Answer given, string name, Func<string> call, Func<ValueTask<string>> callAsync)
    {
        given.Ret = "(did not return)";
        Run(name, call, callAsync, value => Tell(_ => given.Ret = value));
    }

    public void Signal(string task, string kind)
    {
        if (!_tasks.TryGetValue(task, out var thread))
            throw new FormatException($"there is no task '{task}'");
        switch (kind)
        {
            case "I": thread.Signal(); break;
            case "K": thread.Kill(); break;
            default: throw new FormatException($"there is no signal '{kind}'");
        }
    }

    /// <summary>Ends the scenario: <paramref name="release"/> frees all that may still wait, and every task has ended when this returns.</summary>
    public void Close(Action release)
    {
        _closing = true;
        _cpu.LetGo();
        release();
        _cpu.WaitUntilQuiet();
        foreach (var task in _tasks.Values)
            task.Stop();
    }

    public void Dispose() => System.Dispose();

    private Kthread Run(string name, Func<string> call, Func<ValueTask<string>> callAsync, Action<string> report) =>
        Waiters == Waiters.Threads
            ? Kthread.Run(_ =>
            {
                report(Outcome(call));
                return 0;
            }, 0, name, System)
            : Kthread.Run(async _ =>
            {
                string outcome;
                try
                {
                    outcome = await callAsync();
                }
                catch (Exception thrown)
                {
                    outcome = Thrown(thrown);
                }

                report(outcome);
                return 0;
            }, 0, name, System);

    private static string Outcome(Func<string> call)
    {
        try
        {
            return call();
        }
        catch (Exception thrown)
        {
            return Thrown(thrown);
        }
    }

    /// <summary>The kernel's calls never throw, so an exception is an answer that is never due.</summary>
    private static string Thrown(Exception exception) => $"\"threw {exception.GetType().Name}: {exception.Message}\"";
}
