namespace Kworker.Nfsd.Tracking;

/// <summary>
/// A line before each client name (<c>nfsd4_cltrack_upcall_lock</c>): upcalls for one name run one after the other, in the order in which they were asked
/// for. Thread-safe.
/// </summary>
internal sealed class NameLines
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Completion> _last = new(StringComparer.Ordinal); // _lock: the turn of whoever came last

    /// <summary>Waits for the turns of those who came before.</summary>
    /// <returns>To be given back, whatever happens: the next one waits for it.</returns>
    public async ValueTask<Completion> EnterAsync(string name)
    {
        var turn = new Completion();
        Completion? before;
        lock (_lock)
        {
            before = _last.GetValueOrDefault(name);
            _last[name] = turn;
        }
        if (before is not null)
            await before.WaitAsync();
        return turn;
    }

    /// <summary>Ends a turn.</summary>
    public void Leave(string name, Completion turn)
    {
        lock (_lock)
        {
            if (_last.GetValueOrDefault(name) == turn)
                _last.Remove(name);
        }
        turn.CompleteAll();
    }
}
