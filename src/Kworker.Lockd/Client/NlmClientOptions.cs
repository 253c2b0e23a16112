using System.Net;
using Kworker.Lockd.Nsm;
using Kworker.SunRpc;
using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Client;

/// <summary>How locks are asked for. Not changed once a client has been made of it.</summary>
internal sealed class NlmClientOptions
{
    /// <summary>What this machine calls itself to servers; null for its host name.</summary>
    public string? CallerName { get; init; }

    /// <summary>The address of this machine to call from and to be called at; null for any.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Where servers' callbacks find this process.</summary>
    public RpcbindMode Rpcbind { get; init; } = RpcbindMode.Auto;

    /// <summary>The port of the rpcbind of this machine.</summary>
    public int RpcbindPort { get; init; } = 111;

    /// <summary>Tells of servers' reboots; it outlives the client. Null: nobody does, and locks are not reclaimed.</summary>
    public INsm? Nsm { get; init; }

    /// <summary>Programs to serve on the same port as our own: the status monitor's.</summary>
    public IReadOnlyList<RpcProgram> Programs { get; init; } = [];

    /// <summary>Takes what the machine's own status monitor says of a reboot, if <see cref="Nsm"/> is that; null: it is not listened to.</summary>
    public Action<Nlm.NlmSmNotify>? SmNotify { get; init; }

    /// <summary>After how long a lock that is waited for is asked for again, in case its GRANTED was lost (<c>NLMCLNT_POLL_TIMEOUT</c>).</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>After how long a server in its grace period is asked again (<c>NLMCLNT_GRACE_WAIT</c>).</summary>
    public TimeSpan GraceWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>After how long a server that cannot be reached is asked again.</summary>
    public TimeSpan RetryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Patience of one call.</summary>
    public RpcTimeouts Timeouts { get; init; } = RpcTimeouts.Linear(TimeSpan.FromSeconds(10), 2);

    /// <summary>Makes and starts a reclaimer's thread; replaced where it is to fail.</summary>
    public Func<Func<NlmClientHost, ValueTask<int>>, NlmClientHost, string, KworkerSystem, Kthread> RunThread { get; init; } = Kthread.Run;

    /// <summary>The system whose workers and time are used; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what there is to say; null for nothing.</summary>
    public ILogger? Logger { get; init; }
}
