namespace Kworker.Bench.Scenarios;

/// <summary>
/// The least that a work item's rules ask for, and nothing else: it is queued once (one compare-and-swap), never runs concurrently with itself (one as it begins, one as it
/// ends), and its function belongs to an owner. No queue, no flush, no MaxActive, no cancel; what stands it in line is the thread pool. As large as a <c>Work</c>.
/// </summary>
internal sealed class StateTwin : IThreadPoolWorkItem
{
    private const long Pending = 1;
    private const long Running = 2;

    private readonly Action<object> _function;
    private long _state;
    private Room _room; // the first is the owner

    internal StateTwin(object owner, Action<object> function)
    {
        _function = function;
        _room[0] = owner;
    }

    internal bool Queue()
    {
        long state;
        do
        {
            state = Volatile.Read(ref _state);
            if ((state & Pending) != 0)
                return false;
        }
        while (Interlocked.CompareExchange(ref _state, state | Pending, state) != state);
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return true;
    }

    public void Execute()
    {
        long state;
        do
        {
            state = Volatile.Read(ref _state); // the run before may be about to end
        }
        while (Interlocked.CompareExchange(ref _state, (state & ~Pending) | Running, state) != state);
        _function(_room[0]!);
        do
        {
            state = Volatile.Read(ref _state);
        }
        while (Interlocked.CompareExchange(ref _state, state & ~Running, state) != state);
    }

    /// <summary>As many words as a work item has.</summary>
    [System.Runtime.CompilerServices.InlineArray(10)]
    private struct Room
    {
        private object? _first;
    }
}
