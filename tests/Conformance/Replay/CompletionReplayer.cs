using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

internal sealed class CompletionReplayer(Waiters waiters) : WorldReplayer(waiters, Schedule.InTurn)
{
    private readonly Dictionary<string, Completion> _completions = new() { ["c0"] = new(), ["c1"] = new() };

    protected override ListOrder Order => ListOrder.Returned;

    protected override void Do(Step step, Answer given)
    {
        switch (step.Operation)
        {
            case "wait": Wait(step); break;
            case "complete": Find(step[1]).Complete(); break;
            case "complete_all": Find(step[1]).CompleteAll(); break;
            case "reinit": Find(step[1]).Reinit(); break;
            case "try_wait": given.Ret = Json(Find(step[1]).TryWait()); break;
            case "is_done": given.Ret = Json(Find(step[1]).IsDone); break;
            case "count": given.Ret = Json(Find(step[1]).Done); break;
            case "preset": Find(step[1]).Done = uint.MaxValue - (uint)Number(step[2]); break;
            case "signal": World.Signal(step[1], step[2]); break;
            default: throw Unknown(step);
        }
    }

    private void Wait(Step step)
    {
        var completion = Find(step[2]);
        var mode = Mode(step[3]);
        if (step.Do.Count > 4)
        {
            var timeout = Milliseconds(step[4]);
            World.StartTask(step[1],
                () => Value(completion.Wait(timeout, mode), hasTimeout: true),
                async () => Value(await completion.WaitAsync(timeout, mode), hasTimeout: true));
        }
        else if (mode == WaitMode.Uninterruptible)
        {
            World.StartTask(step[1],
                () =>
                {
                    completion.Wait();
                    return "0";
                },
                async () =>
                {
                    await completion.WaitAsync();
                    return "0";
                });
        }
        else
        {
            World.StartTask(step[1],
                () => Value(completion.Wait(mode), hasTimeout: false),
                async () => Value(await completion.WaitAsync(mode), hasTimeout: false));
        }
    }

    private Completion Find(string name) =>
        _completions.TryGetValue(name, out var completion) ? completion : throw new FormatException($"there is no completion '{name}'");

    protected override void Release()
    {
        foreach (var completion in _completions.Values)
            completion.CompleteAll();
    }
}
