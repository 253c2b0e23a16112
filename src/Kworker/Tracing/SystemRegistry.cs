namespace Kworker;

/// <summary>
/// What a system has alive beside queues, pools and timers, which have their own lists: kthreads, from the moment at which they begin to that at which they end. Nothing
/// is held longer.
/// </summary>
internal sealed class SystemRegistry
{
    private readonly Lock _lock = new();
    private readonly HashSet<Kthread> _kthreads = []; // under _lock

    internal void Add(Kthread kthread)
    {
        lock (_lock)
            _kthreads.Add(kthread);
    }

    internal void Remove(Kthread kthread)
    {
        lock (_lock)
            _kthreads.Remove(kthread);
    }

    internal Kthread[] Kthreads
    {
        get
        {
            lock (_lock)
                return [.. _kthreads];
        }
    }

    internal int KthreadCount
    {
        get
        {
            lock (_lock)
                return _kthreads.Count;
        }
    }
}
