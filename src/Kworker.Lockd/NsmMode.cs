namespace Kworker.Lockd;

/// <summary>Who sees to it that reboots are told: the server's to clients that hold locks, and theirs to the server.</summary>
public enum NsmMode
{
    /// <summary>The server itself (program 100024 on its own port): nothing else need run on the machine.</summary>
    BuiltIn,

    /// <summary>The machine's <c>rpc.statd</c>, which also notifies clients, and which must run before the server does.</summary>
    System,

    /// <summary>Nobody: locks are lost when the server restarts, and stay when a client does.</summary>
    None,
}
