using Microsoft.Extensions.Logging;

namespace Kworker.Lockd.Nsm;

/// <summary>How the machine's <c>rpc.statd</c> is worked with. Not changed once a <see cref="SystemNsm"/> has been made of it.</summary>
internal sealed class SystemNsmOptions
{
    /// <summary>The program that <c>rpc.statd</c> calls when a host has rebooted; many an <c>rpc.statd</c> calls none but the lock manager.</summary>
    public uint Program { get; init; } = Nlm.NlmProtocol.Program;

    /// <summary>That program's version.</summary>
    public uint Version { get; init; } = Nlm.NlmProtocol.Version4;

    /// <summary>That program's procedure.</summary>
    public uint Procedure { get; init; } = (uint)Nlm.NlmProcedure.SmNotify;

    /// <summary>Where it is kept whom we have had monitored, for the start after this; null: in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>How long <c>rpc.statd</c> may take: it looks names up.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Notifies the hosts that <c>rpc.statd</c> monitors (<c>-f</c>: also when the machine has not restarted).</summary>
    public string NotifyCommand { get; init; } = "/usr/sbin/sm-notify";

    /// <summary>The port of this machine's rpcbind.</summary>
    public int RpcbindPort { get; init; } = 111;

    /// <summary>The system that work runs on; the current one if null.</summary>
    public KworkerSystem? System { get; init; }

    /// <summary>Takes what there is to say; null for nothing.</summary>
    public ILogger? Logger { get; init; }
}
