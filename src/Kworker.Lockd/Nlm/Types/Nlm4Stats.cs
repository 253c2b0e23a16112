using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

/// <summary><c>nlm4_stats</c>; versions 1 and 3 have the first five, and Linux the sixth.</summary>
[Xdr]
internal enum Nlm4Stats
{
    Granted = 0,
    Denied = 1,

    /// <summary>The server has no room for the lock, or cannot let the client be monitored.</summary>
    DeniedNoLocks = 2,

    /// <summary>The lock is waited for: GRANTED will be called.</summary>
    Blocked = 3,

    /// <summary>The server has restarted: ask again later; or a reclaim that came too late.</summary>
    DeniedGracePeriod = 4,

    /// <summary>To wait would be a deadlock.</summary>
    Deadlock = 5,

    RoFs = 6,
    StaleFh = 7,

    /// <summary>The range lies beyond what the server can lock.</summary>
    FBig = 8,

    Failed = 9,
}
