using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nsm;

/// <summary>How the built-in status monitor works. Not changed once it has been made of it.</summary>
internal sealed class NsmOptions
{
    /// <summary>Where the state number and the monitored hosts are kept; null: in memory, so that a restart knows of nobody.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>
    /// What this machine calls itself when it notifies others: a name that they resolve to the address they know it by. Null: its host name.
    /// </summary>
    public string? Name { get; init; }

    /// <summary>Hosts that may be monitored at once, a host with two names counted twice.</summary>
    public int MaximumHosts { get; init; } = 65_536;

    /// <summary>Names by which one host may be monitored.</summary>
    public int MaximumNames { get; init; } = 256;

    /// <summary>How long a host is tried that does not answer (as <c>sm-notify</c>).</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Whether those who have hosts monitored over the wire need a port that only root gets.</summary>
    public bool RequireReservedPort { get; init; } = true;

    /// <summary>Whether an address is one of this machine; null: ask it. For tests.</summary>
    public Func<System.Net.IPAddress, bool>? IsOwnAddress { get; init; }

    /// <summary>The port at which other hosts' rpcbind is asked.</summary>
    public int RpcbindPort { get; init; } = 111;

    /// <summary>The system that work runs on; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what there is to say; null for nothing.</summary>
    public ILogger? Logger { get; init; }
}
