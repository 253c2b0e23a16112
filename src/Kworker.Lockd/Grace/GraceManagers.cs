using System.Diagnostics;

namespace Kworker.Lockd.Grace;

/// <summary>
/// Who keeps a server in grace: NLM, and NFSv4 beside it. As long as one of them does, no new lock is given to anybody
/// (<c>locks_start_grace</c>, <c>locks_end_grace</c>, <c>locks_in_grace</c>). One for each server instance. Thread-safe.
/// </summary>
[DebuggerDisplay("{_managers.Count} in grace")]
internal sealed class GraceManagers
{
    private readonly Lock _lock = new();
    private readonly HashSet<object> _managers = new(ReferenceEqualityComparer.Instance); // _lock
    private volatile bool _isInGrace; // written under _lock: whether _managers has any

    /// <summary>Whether locks may only be reclaimed.</summary>
    public bool IsInGrace => _isInGrace;

    /// <summary>Begins the grace of <paramref name="manager"/>; nothing new if it has begun.</summary>
    public void Start(object manager)
    {
        lock (_lock)
        {
            _managers.Add(manager);
            _isInGrace = true;
        }
    }

    /// <summary>Ends the grace of <paramref name="manager"/>.</summary>
    /// <returns>Whether it was in grace.</returns>
    public bool End(object manager)
    {
        lock (_lock)
        {
            bool was = _managers.Remove(manager);
            _isInGrace = _managers.Count > 0;
            return was;
        }
    }
}
