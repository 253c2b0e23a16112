namespace Conformance.Replay;

/// <summary>How the tasks of a scenario share the machine.</summary>
public enum Schedule
{
    /// <summary>One after another, in the order in which they were woken: the recorder had one CPU.</summary>
    InTurn,
    /// <summary>Whenever they can, on all CPUs; for the families whose answers do not depend on who is faster.</summary>
    AtOnce,
}
