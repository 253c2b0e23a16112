using System.Globalization;
using Conformance.Scenarios;
using Kworker;

namespace Conformance.Replay;

/// <summary>Replays the scenarios of one family against ours.</summary>
internal abstract class Replayer : IDisposable
{
    /// <summary>Replays <paramref name="scenario"/>; returns the first step whose answer is not the one due, or null if all are.</summary>
    public static string? Replay(Scenario scenario, Waiters waiters, Schedule schedule = Schedule.InTurn)
    {
        var replayer = For(scenario, waiters, schedule);
        var title = $"{scenario.Id} ({waiters}{(schedule == Schedule.AtOnce ? ", at once" : "")})";
        var failure = Replay(scenario, title, replayer);
        try
        {
            replayer.Dispose();
        }
        catch (Exception thrown)
        {
            failure ??= $"{title}, at its end: threw {thrown.GetType().Name}: {thrown.Message}";
        }

        return failure;
    }

    private static string? Replay(Scenario scenario, string title, Replayer replayer)
    {
        for (var i = 0; i < scenario.Steps.Count; i++)
        {
            var step = scenario.Steps[i];
            string given;
            try
            {
                var answer = replayer.Do(step);
                if (answer.Equals(step.Due, replayer.Order))
                    continue;
                given = answer.ToString();
            }
            catch (Exception thrown)
            {
                given = $"threw {thrown.GetType().Name}: {thrown.Message}";
            }

            return $"{title}, step {i}: {step}\n    given: {given}\n    due:   {step.Due}"
                + (scenario.Rule is null ? "" : $"\n    rule:  {scenario.Rule}");
        }

        return null;
    }

    protected abstract ListOrder Order { get; }

    protected abstract Answer Do(Step step);

    /// <summary>Ends the scenario.</summary>
    public void Dispose() => Close();

    protected virtual void Close()
    {
    }

    private static Replayer For(Scenario scenario, Waiters waiters, Schedule schedule) => scenario.Family switch
    {
        "completion" => new CompletionReplayer(waiters),
        "waitqueue" => new WaitQueueReplayer(waiters),
        "workqueue" => new WorkqueueReplayer(waiters, schedule),
        "kthread" => new KthreadReplayer(waiters, schedule),
        "kthread_worker" => new KthreadWorkerReplayer(waiters, schedule),
        "helper" when !OperatingSystem.IsWindows() => new HelperReplayer(waiters),
        _ => throw new FormatException($"{scenario.Id}: there is no family '{scenario.Family}'"),
    };

    protected static Exception Unknown(Step step) => new FormatException($"there is no operation '{step.Operation}' in this family");

    protected static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    protected static TimeSpan Milliseconds(string text) => TimeSpan.FromMilliseconds(Number(text));

    protected static string Json(bool value) => value ? "true" : "false";

    protected static string Json(long value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The recorder writes a boolean that a task came back with as a number.</summary>
    protected static string AsNumber(bool value) => value ? "1" : "0";

    protected static WaitMode Mode(string text) => text switch
    {
        "u" => WaitMode.Uninterruptible,
        "i" => WaitMode.Interruptible,
        "k" => WaitMode.Killable,
        _ => throw new FormatException($"there is no wait mode '{text}'"),
    };

    /// <summary>What the kernel's call returns where ours returns a <see cref="WaitResult"/>.</summary>
    protected static string Value(WaitResult result, bool hasTimeout)
    {
        if (result.IsInterrupted)
            return "-512"; // ERESTARTSYS
        if (!hasTimeout || result.IsTimedOut)
            return "0";
        return result.Remaining > TimeSpan.FromMilliseconds(1) ? "\"positive\"" : "1";
    }
}
