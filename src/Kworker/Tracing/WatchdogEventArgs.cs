using System.Globalization;

namespace Kworker;

/// <summary>What the watchdog has found to go on for too long. See <see cref="KworkerSystem.Stalled"/>.</summary>
public sealed class WatchdogEventArgs : EventArgs
{
    private WatchdogEventArgs(WatchdogKind kind, TimeSpan duration, string subject)
    {
        Kind = kind;
        Duration = duration;
        Subject = subject;
    }

    /// <summary>What it is.</summary>
    public WatchdogKind Kind { get; }

    /// <summary>For how long, at least, by the system's clock.</summary>
    public TimeSpan Duration { get; }

    /// <summary>The name of the pool, or of the thread that runs or waits; empty for an async function in an await.</summary>
    public string Subject { get; }

    /// <summary>The work function; for a pool the one that has kept a place there for the longest. Null where there is none.</summary>
    public string? Function { get; private init; }

    /// <summary>The workqueue of that function, or the kthread worker; null where there is none.</summary>
    public string? Queue { get; private init; }

    /// <summary>
    /// Where it is: the stack at the beginning of the wait while stacks are recorded (<see cref="KworkerSystemOptions.RecordStacks"/>), else what the operating system tells
    /// of the thread. May be empty.
    /// </summary>
    public string Where { get; private init; } = "";

    /// <summary>The stack that queued the item; null unless stacks are recorded.</summary>
    public string? QueuedAt { get; private init; }

    /// <summary>For a pool, what was alive then; null otherwise.</summary>
    public KworkerSnapshot? Snapshot { get; private init; }

    internal static WatchdogEventArgs OfPool(string pool, TimeSpan duration, KworkerSnapshot snapshot)
    {
        // Those that count as running come first: what is blocked, however long, has given its place to another; and an await has no worker at all.
        HashSet<string> running = [.. snapshot.Pools.Where(other => other.Name == pool).SelectMany(static other => other.Threads)
            .Where(static thread => thread.State == WorkerState.Running).Select(static thread => thread.Name)];
        (string? queue, WorkItemSnapshot? longest) = snapshot.Workqueues.Where(queue => queue.Pool == pool)
            .SelectMany(static queue => queue.InFlight, static (queue, item) => ((string?)queue.Name, (WorkItemSnapshot?)item))
            .Where(static pair => pair.Item2!.Thread is not null)
            .OrderByDescending(pair => running.Contains(pair.Item2!.Thread!))
            .ThenByDescending(static pair => pair.Item2!.Duration)
            .FirstOrDefault();
        return new(WatchdogKind.PoolStalled, duration, pool) { Function = longest?.Function, Queue = queue, Snapshot = snapshot };
    }

    internal static WatchdogEventArgs OfItem(string function, string queue, string? thread, TimeSpan duration, string where, string? queuedAt) =>
        new(WatchdogKind.ItemRunsLong, duration, thread ?? "") { Function = function, Queue = queue, Where = where, QueuedAt = queuedAt };

    internal static WatchdogEventArgs OfTask(string kthread, string? function, string? worker, TimeSpan duration, string where) =>
        new(WatchdogKind.TaskHung, duration, kthread) { Function = function, Queue = worker, Where = where };

    /// <inheritdoc/>
    public override string ToString()
    {
        string seconds = string.Create(CultureInfo.InvariantCulture, $"{Duration.TotalSeconds:0} s");
        string text = Kind switch
        {
            WatchdogKind.PoolStalled => $"pool {Subject} has begun nothing for {seconds} while work waits{(Function is null ? "" : $"; longest at work: {Function} (queue {Queue})")}",
            WatchdogKind.ItemRunsLong => $"{Function} (queue {Queue}) has been running{(Subject.Length == 0 ? "" : $" on {Subject}")} for {seconds}",
            _ => $"kthread {Subject} has waited for {seconds}{(Function is null ? "" : $" in {Function}")}, and nothing but the end of the wait can end it",
        };
        if (Where.Length != 0)
            text += $"{Environment.NewLine}{StackText.Indent(Where, "  ")}";
        if (QueuedAt is not null)
            text += $"{Environment.NewLine}  queued{Environment.NewLine}{StackText.Indent(QueuedAt, "  ")}";
        if (Snapshot is not null)
            text += $"{Environment.NewLine}{Snapshot}";
        return text;
    }
}

/// <summary>What may go on for too long.</summary>
public enum WatchdogKind
{
    /// <summary>A pool began nothing while work waited for its workers (the kernel's workqueue lockup).</summary>
    PoolStalled,

    /// <summary>A work function has not returned, or the task of an async one is not done.</summary>
    ItemRunsLong,

    /// <summary>A kthread waits, <see cref="WaitMode.Uninterruptible"/> and without a limit (the kernel's hung task).</summary>
    TaskHung,
}
