using System.Globalization;
using System.Text;

namespace Kworker;

/// <summary>Writes a snapshot as the kernel dumps its workqueues: busy ones only, one line a kind of item.</summary>
internal static class SnapshotText
{
    internal static string Write(KworkerSnapshot snapshot)
    {
        var text = new StringBuilder();
        text.Append("Showing busy workqueues and worker pools:");
        foreach (WorkqueueSnapshot queue in snapshot.Workqueues.Where(static q => q.Unfinished != 0 || q.Delayed.Count != 0))
            Write(text, queue);
        foreach (PoolSnapshot pool in snapshot.Pools.Where(static pool => pool.Workers != 0))
            Write(text, pool);
        if (snapshot.Kthreads.Count != 0)
            Line(text, "Showing kthreads:");
        foreach (KthreadSnapshot kthread in snapshot.Kthreads)
            Write(text, kthread);
        if (snapshot.Helpers.Count != 0)
            Line(text, $"Showing usermode helpers: {string.Join(' ', snapshot.Helpers.Select(static helper => helper.ProcessId))}");
        return text.ToString();
    }

    private static void Write(StringBuilder text, WorkqueueSnapshot queue)
    {
        Line(text, $"workqueue {queue.Name}: flags={(queue.Flags.Length == 0 ? "0" : queue.Flags)}{(queue.IsDraining ? " draining" : "")}");
        Line(text, $"  pwq {queue.Pool}: active={queue.Active}/{(queue.MaxActive == int.MaxValue ? "max" : queue.MaxActive)} unfinished={queue.Unfinished}");
        Items(text, "in-flight", queue.InFlight, static item => $"{item.Thread ?? (item.IsAwaiting ? "awaiting" : "?")}:{item.Function}{For(item.Duration)}");
        Items(text, "pending", queue.Pending, static item => item.Function);
        Items(text, "inactive", queue.Inactive, static item => item.Function);
        Items(text, "delayed", queue.Delayed, Delayed);
    }

    private static void Write(StringBuilder text, PoolSnapshot pool)
    {
        string running = pool.MaxRunning is { } most ? $"running={pool.Running}/{most} " : "";
        Line(text, $"pool {pool.Name}: {running}hung={Seconds(pool.Hung)} workers={pool.Workers}");
        IEnumerable<string> idle = pool.Threads.Where(static thread => thread.Function is null).Select(static thread => thread.Name);
        if (pool.Idle != 0)
            text.Append(" idle: ").AppendJoin(' ', idle);
    }

    private static void Write(StringBuilder text, KthreadSnapshot kthread)
    {
        string state = kthread.IsParked ? "parked" : kthread.Waits is { } mode ? $"waits {mode.ToString().ToLowerInvariant()}" : "running";
        string id = kthread.ThreadId == 0 ? "" : $" ({kthread.ThreadId.ToString(CultureInfo.InvariantCulture)})";
        Line(text, $"kthread {kthread.Name}{id}: {state}{(kthread.ShouldStop ? ", to stop" : "")}");
        if (kthread.Function is not null)
            Line(text, $"  in-flight: {kthread.Function}");
        if (kthread.Pending.Count != 0)
            Line(text, $"  pending: {string.Join(", ", kthread.Pending)}");
        if (kthread.Delayed.Count != 0)
            Line(text, $"  delayed: {string.Join(", ", kthread.Delayed.Select(Delayed))}");
    }

    private static void Items(StringBuilder text, string kind, IReadOnlyList<WorkItemSnapshot> items, Func<WorkItemSnapshot, string> write)
    {
        if (items.Count != 0)
            Line(text, $"    {kind}: {string.Join(", ", items.Select(write))}");
    }

    private static string Delayed(WorkItemSnapshot item) => $"{item.Function} in {Seconds(item.DueIn ?? TimeSpan.Zero)}";

    private static string For(TimeSpan? duration) => duration is { } known ? $" for {Seconds(known)}" : "";

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(time.TotalSeconds):0}s");

    private static void Line(StringBuilder text, string line) => text.AppendLine().Append(line);
}
