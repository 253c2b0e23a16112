namespace Conformance.Replay;

/// <summary>In which form the tasks of a scenario call what blocks.</summary>
public enum Waiters
{
    /// <summary>Each task is a thread that blocks in the call.</summary>
    Threads,
    /// <summary>Each task has an async body that awaits the call's async twin.</summary>
    Async,
}
