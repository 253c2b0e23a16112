using System.Net;
using Microsoft.Extensions.Logging;

namespace Kworker.SunRpc;

/// <summary>How a client calls. Not changed once a client has been made of it.</summary>
internal sealed class RpcClientOptions
{
    /// <summary>What the server is called in messages; null for its address.</summary>
    public string? ServerName { get; init; }

    /// <summary>Who calls.</summary>
    public RpcCredential Credential { get; init; } = RpcCredential.None;

    /// <summary>Retransmission and patience; null for what Linux has for the transport.</summary>
    public RpcTimeouts? Timeouts { get; init; }

    /// <summary>
    /// Whether a call whose patience ends fails (<c>soft</c>); else it is said that the server does not respond, and the call goes on for
    /// ever (<c>hard</c>).
    /// </summary>
    public bool IsSoft { get; init; }

    /// <summary>Whether calls fail when nobody can be reached at the server's address (<c>RPC_TASK_SOFTCONN</c>), instead of trying on.</summary>
    public bool IsSoftConnect { get; init; }

    /// <summary>Whether to call from a port below 1024, which some servers take for a sign of the superuser; an ordinary one if it may not be had.</summary>
    public bool FromReservedPort { get; init; }

    /// <summary>The address of this machine to call from; null for the one that the route gives.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Bytes of the longest reply taken; a server that claims more is disconnected.</summary>
    public int MaximumReply { get; init; } = (1 << 20) + 4096;

    /// <summary>Calls at the server at once (<c>tcp_max_slot_table_entries</c>); more stand in line here.</summary>
    public int MaximumInFlight { get; init; } = 128;

    /// <summary>Until the second attempt to connect; each further one waits twice as long.</summary>
    public TimeSpan ReconnectDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest wait between attempts to connect.</summary>
    public TimeSpan MaximumReconnectDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The system whose workers and time the client uses; null for the current one.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>The queue, of that system, on which the client works; it outlives the client. Null for one of its own.</summary>
    public Workqueue? Queue { get; init; }

    /// <summary>Where the client says what happens; null for nowhere.</summary>
    public ILogger? Logger { get; init; }
}
