namespace Kworker;

/// <content>What a snapshot and the watchdog see of it.</content>
public sealed partial class KthreadWorker
{
    /// <summary>The number of the run in progress; null when nothing runs.</summary>
    internal long? RunInProgress
    {
        get
        {
            _lock.Enter();
            long? run = _current is null ? null : _runs;
            _lock.Exit();
            return run;
        }
    }

    internal string[] PendingFunctions(int maxItems)
    {
        var items = new List<KthreadWork>();
        _lock.Enter();
        for (DeferredItem item = _items.Next!; !ReferenceEquals(item, _items) && items.Count < maxItems; item = item.Next!)
        {
            if (item is KthreadWork work)
                items.Add(work);
        }

        _lock.Exit();
        return [.. items.Select(static work => work.FunctionName)];
    }
}
