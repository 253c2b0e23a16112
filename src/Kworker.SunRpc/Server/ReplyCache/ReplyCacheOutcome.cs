namespace Kworker.SunRpc;

/// <summary>What the duplicate-request cache knows of a call.</summary>
internal enum ReplyCacheOutcome
{
    /// <summary>Nothing: run it, and end the entry with its reply.</summary>
    New,

    /// <summary>It was answered before; here is the reply.</summary>
    Answered,

    /// <summary>It runs now, and its reply will go where this one waits too: drop this one.</summary>
    Drop,

    /// <summary>
    /// It runs now, but came by another connection, which may be gone: the cache keeps this one and has it answered when that ends.
    /// </summary>
    Follow,
}
