using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

internal sealed class WaitQueueReplayer(Waiters waiters) : WorldReplayer(waiters, Schedule.InTurn)
{
    private readonly Dictionary<string, WaitQueue> _queues = new() { ["q0"] = new(), ["q1"] = new() };

    /// <summary>The condition variables. Whoever touches them has the one CPU.</summary>
    private readonly Dictionary<string, int> _variables = new() { ["v0"] = 0, ["v1"] = 0 };

    protected override ListOrder Order => ListOrder.Returned;

    protected override void Do(Step step, Answer given)
    {
        switch (step.Operation)
        {
            case "sleep": Sleep(step); break;
            case "event": WaitEvent(step); break;
            case "wake": Wake(Find(step[1]), step[2], step[3]); break;
            case "set": _variables[step[1]] = Number(step[2]); break;
            case "get": given.Ret = Json(_variables[step[1]]); break;
            case "active": given.Ret = Json(Find(step[1]).IsActive); break;
            case "signal": World.Signal(step[1], step[2]); break;
            default: throw Unknown(step);
        }
    }

    private void Sleep(Step step)
    {
        var queue = Find(step[2]);
        var mode = Mode(step[3]);
        var exclusive = IsExclusive(step[4]);
        World.StartTask(step[1],
            () => Value(queue.Sleep(mode, exclusive), hasTimeout: false),
            async () => Value(await queue.SleepAsync(mode, exclusive), hasTimeout: false));
    }

    private void WaitEvent(Step step)
    {
        var queue = Find(step[2]);
        var mode = Mode(step[3]);
        var exclusive = IsExclusive(step[4]);
        var holds = Condition(step);
        bool condition() => World.Closing || holds();
        if (step[5] == "-")
        {
            World.StartTask(step[1],
                () => Value(queue.WaitEvent(condition, mode, exclusive), hasTimeout: false),
                async () => Value(await queue.WaitEventAsync(condition, mode, exclusive), hasTimeout: false));
        }
        else
        {
            var timeout = Milliseconds(step[5]);
            World.StartTask(step[1],
                () => Value(queue.WaitEvent(condition, timeout, mode, exclusive), hasTimeout: true),
                async () => Value(await queue.WaitEventAsync(condition, timeout, mode, exclusive), hasTimeout: true));
        }
    }

    private Func<bool> Condition(Step step)
    {
        switch (step[6])
        {
            case "never":
                return static () => false;
            case "le":
                {
                    var (name, limit) = (step[7], Number(step[8]));
                    return () => _variables[name] <= limit;
                }
            case "cmpxchg":
                {
                    var (name, old, replacement) = (step[7], Number(step[8]), Number(step[9]));
                    return () =>
                    {
                        if (_variables[name] != old)
                            return false;
                        _variables[name] = replacement;
                        return true;
                    };
                }
            default:
                throw new FormatException($"there is no condition '{step[6]}'");
        }
    }

    private static void Wake(WaitQueue queue, string states, string count)
    {
        switch (states, count)
        {
            case ("normal", "all"): queue.WakeUpAll(); break;
            case ("normal", _): queue.WakeUp(Number(count)); break;
            case ("interruptible", "all"): queue.WakeUpInterruptibleAll(); break;
            case ("interruptible", _): queue.WakeUpInterruptible(Number(count)); break;
            default: throw new FormatException($"there is no wake-up '{states}'");
        }
    }

    private static bool IsExclusive(string text) => text switch
    {
        "n" => false,
        "x" => true,
        _ => throw new FormatException($"a waiter is n or x, not '{text}'"),
    };

    private WaitQueue Find(string name) =>
        _queues.TryGetValue(name, out var queue) ? queue : throw new FormatException($"there is no wait queue '{name}'");

    protected override void Release()
    {
        foreach (var queue in _queues.Values)
            queue.WakeUpAll();
    }
}
