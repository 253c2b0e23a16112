namespace Kworker;

/// <summary>
/// What an owner of work items implements to name them: snapshots, the watchdog, traces and exceptions then use its name for them, not that of the function. For
/// owners whose items all have the same function, such as one that runs what it is given.
/// </summary>
public interface INamedWork
{
    /// <summary>Its items' name. Asked for at any time, from any thread; must not throw.</summary>
    string WorkName { get; }
}
