using System.Diagnostics;

namespace Kworker.Nfs;

/// <summary>
/// Keeps lookups in a directory and removals of names in it apart, so that no lookup finds a name that is about to be put aside, and none is
/// put aside that a lookup is just opening (<c>nfs_block_sillyrename</c>, <c>nfs_wait_on_sillyrename</c>). Thread-safe.
/// </summary>
/// <remarks>
/// <code>
/// silly_count   0      lookups are inside
///               1      nobody is
///               1 + n  n removals are under way
///
/// 1 → 0       the first lookup, by compare-and-swap; it waits until the count is at most 1
/// 0 → 1       the last lookup that leaves
/// n → n + 1   a removal, if n is at least 1
/// n + 1 → n   a removal that is done
/// </code>
/// Wake-up argument: whoever moves the count to where another may go on wakes all after that; a waiter looks at the count after it stands in
/// line. In the kernel the directory's lock keeps lookups apart from each other; here they may be inside together, unless a removal waits.
/// </remarks>
[DebuggerDisplay("{_count}")]
internal sealed class SillyGate
{
    private readonly WaitQueue _queue = new();
    private int _count = 1; // silly_count; by compare-and-swap
    private readonly Lock _lock = new();
    private int _lookups; // _lock; inside
    private int _removalsWaiting; // interlocked

    /// <summary>Lets a lookup in; <see cref="Unblock"/> lets it out.</summary>
    public async ValueTask BlockAsync(CancellationToken cancellationToken) =>
        await _queue.WaitEventAsync(this, static gate => gate.TryBlock(), Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken).ConfigureAwait(false);

    /// <summary>A lookup is done.</summary>
    public void Unblock()
    {
        lock (_lock)
        {
            if (--_lookups > 0)
                return;
            Interlocked.Increment(ref _count);
        }
        _queue.WakeUpAll();
    }

    /// <summary>Lets a removal in; <see cref="Leave"/> lets it out.</summary>
    public async ValueTask EnterAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _removalsWaiting);
        try
        {
            await _queue.WaitEventAsync(this, static gate => gate.TryEnter(), Timeout.InfiniteTimeSpan, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Lookups that stayed out for this one's sake look again.
            if (Interlocked.Decrement(ref _removalsWaiting) == 0)
                _queue.WakeUpAll();
        }
    }

    /// <summary>A removal is done.</summary>
    public void Leave()
    {
        Interlocked.Decrement(ref _count);
        _queue.WakeUpAll();
    }

    private bool TryBlock()
    {
        lock (_lock)
        {
            bool isIn = (_lookups > 0 && Volatile.Read(ref _removalsWaiting) == 0) || Interlocked.CompareExchange(ref _count, 0, 1) == 1;
            if (isIn)
                _lookups++;
            return isIn;
        }
    }

    private bool TryEnter()
    {
        int count = Volatile.Read(ref _count);
        while (count >= 1)
        {
            int seen = Interlocked.CompareExchange(ref _count, count + 1, count);
            if (seen == count)
                return true;
            count = seen;
        }
        return false;
    }
}
