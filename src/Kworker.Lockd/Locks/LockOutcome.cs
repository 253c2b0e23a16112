namespace Kworker.Lockd.Locks;

/// <summary>What came of asking for a lock.</summary>
internal enum LockOutcome
{
    /// <summary>It is held.</summary>
    Granted,

    /// <summary>Another lock stands in the way.</summary>
    Denied,

    /// <summary>Another lock stands in the way, and the request waits.</summary>
    Blocked,

    /// <summary>Another lock stands in the way, and its owner waits, perhaps by way of others, for this one: it would never be granted.</summary>
    Deadlock,

    /// <summary>Something is exhausted: descriptors or the kernel's locks for the local file.</summary>
    NoLocks,
}
