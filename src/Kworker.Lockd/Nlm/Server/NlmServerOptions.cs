using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nlm;

/// <summary>How the lock manager serves, and the bounds of what clients may cost it. Not changed once a server has been made of it.</summary>
internal sealed class NlmServerOptions
{
    /// <summary>Hosts known at once; locks of further ones are denied. A host is a client's address and the name it gives itself.</summary>
    public int MaximumHosts { get; init; } = 16_384;

    /// <summary>Hosts at one address.</summary>
    public int MaximumNamesPerAddress { get; init; } = 64;

    /// <summary>Locks held at once, by everybody.</summary>
    public long MaximumLocks { get; init; } = 4_000_000;

    /// <summary>Processes of one host that hold or wait for locks.</summary>
    public int MaximumOwnersPerHost { get; init; } = 65_536;

    /// <summary>Requests of one host that wait.</summary>
    public int MaximumBlockedPerHost { get; init; } = 4096;

    /// <summary>Shares of one host.</summary>
    public int MaximumSharesPerHost { get; init; } = 16_384;

    /// <summary>Results of asynchronous calls on their way to clients; further ones are dropped, as a network would.</summary>
    public int MaximumAsyncReplies { get; init; } = 256;

    /// <summary>How long a host that holds nothing is remembered, and monitored (<c>NLM_HOST_EXPIRE</c>).</summary>
    public TimeSpan HostIdleTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long to wait for a client's answer to one call of ours.</summary>
    public TimeSpan CallbackTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Until GRANTED is called again when it was not answered.</summary>
    public TimeSpan GrantRetryInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long GRANTED is tried before the lock goes to the next in line. Longer than the 30 s after which a Linux client asks by itself.
    /// </summary>
    public TimeSpan GrantPatience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The port of the clients' rpcbind.</summary>
    public int ClientRpcbindPort { get; init; } = 111;

    /// <summary>The system that work runs on; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what the server has to say; null for nothing.</summary>
    public ILogger? Logger { get; init; }
}
