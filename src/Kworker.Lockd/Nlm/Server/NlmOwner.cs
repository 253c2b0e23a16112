using System.Diagnostics;
using Kworker.Lockd.Locks;

namespace Kworker.Lockd.Nlm;

/// <summary>A process of a host, as the lock table's owner. By the process alone, as in Linux: what else clients put into <c>oh</c> is theirs.</summary>
[DebuggerDisplay("{Svid} at {Host}")]
internal sealed class NlmOwner(NlmHost host, int svid) : LockOwner
{
    public NlmHost Host { get; } = host;

    public override int Svid { get; } = svid;

    /// <summary>Calls and waiting requests that use this object. Guarded by the host's lock.</summary>
    public int References { get; set; }

    /// <summary>
    /// The client's NSM state when it last locked; 0 if it does not say. Process numbers begin anew when a client has rebooted: this tells
    /// a process from one of the life before. Guarded by the host's lock.
    /// </summary>
    public int State { get; set; }
}
