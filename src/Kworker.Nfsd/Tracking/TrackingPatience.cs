namespace Kworker.Nfsd.Tracking;

/// <summary>Waiting for what may never come, no longer than is told, by the clock of a queue's system.</summary>
internal static class TrackingPatience
{
    /// <summary>Waits for the end of a task or of the time, whichever is first. Does not throw what the task did.</summary>
    /// <returns>Whether the task has ended.</returns>
    public static async ValueTask<bool> WaitAsync(Task task, TimeSpan patience, Workqueue timers)
    {
        var over = new Completion();
        var limit = new DelayedWork<Completion>(over, static over => over.CompleteAll());
        timers.Queue(limit, patience);
        Task first = await Task.WhenAny(task, over.WaitAsync().AsTask());
        limit.Cancel();
        over.CompleteAll(); // who waited for it is done, too
        return first == task || task.IsCompleted;
    }
}
