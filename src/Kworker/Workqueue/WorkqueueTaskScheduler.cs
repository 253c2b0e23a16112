using System.Diagnostics;

namespace Kworker;

/// <summary>
/// A workqueue as tasks see it (<see cref="Workqueue.TaskScheduler"/>): each task, and each piece of an async method between two awaits, is an item of its own.
/// </summary>
[DebuggerDisplay("{_queue.Name,nq}")]
internal sealed class WorkqueueTaskScheduler(Workqueue queue) : TaskScheduler
{
    private readonly Workqueue _queue = queue;

    public override int MaximumConcurrencyLevel => _queue.MaxActive;

    /// <summary>Must not fail: the runtime forgets a continuation whose scheduler throws, and whoever awaits it would wait for ever.</summary>
    protected override void QueueTask(Task task) => _queue.QueuePiece(new QueuedTask(this, task));

    /// <summary>
    /// Inside an item of the queue a task that is waited for may run in that item's place: so one that waits for what stands behind it in an ordered queue goes on.
    /// One that is in line is found done when its turn comes.
    /// </summary>
    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => _queue.IsCurrent && TryExecuteTask(task);

    /// <summary>For debuggers, while all threads stand still: the lock that guards the items may be held by one of them.</summary>
    protected override IEnumerable<Task> GetScheduledTasks() => throw new NotSupportedException($"See the snapshot of the {nameof(KworkerSystem)}.");

    private sealed class QueuedTask(WorkqueueTaskScheduler scheduler, Task task) : QueuedPiece
    {
        public override string WorkName => "Task";

        internal override void Run() => scheduler.TryExecuteTask(task);
    }
}
