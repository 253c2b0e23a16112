namespace Kworker.Lockd.Locks;

/// <summary>
/// Whom locks belong to: locks of one owner never stand in each other's way. Each protocol derives its own (NLM: a host and its process;
/// NFSv4: a client and its lock owner), and keeps one object for each owner: the table goes by reference.
/// </summary>
internal abstract class LockOwner
{
    /// <summary>The process at its host, as NLM names it in the answer to others; 0 where there is none.</summary>
    public virtual int Svid => 0;

    /// <summary>
    /// Somebody wants what it holds. An owner whose client has been silent for too long gives up all that the client has, here and now
    /// (<c>lm_lock_expirable</c>, <c>lm_expire_lock</c>).
    /// </summary>
    /// <returns>Whether it has done so just now: it is worth asking again.</returns>
    /// <remarks>To be called without locks, by who was refused: the table does not. May block.</remarks>
    public virtual bool GiveWay() => false;

    /// <summary>Whether it neither holds a lock nor waits for one, at the moment of the look.</summary>
    public bool IsIdle => Volatile.Read(ref Uses) == 0;

    /// <summary>Its files, linked. Guarded by the table's lock for this owner, <c>LockTable.OwnerLock</c>.</summary>
    internal OwnedLocks? Files { get; set; }

    /// <summary>Files in which it holds locks, and requests of it that wait. Interlocked.</summary>
    internal int Uses;

    /// <summary>Its requests that wait, linked. Guarded by the table's graph lock.</summary>
    internal BlockedLock? FirstWaiting { get; set; }

    /// <summary>The search that has seen this owner. Guarded by the table's graph lock.</summary>
    internal ulong SeenBy { get; set; }
}
