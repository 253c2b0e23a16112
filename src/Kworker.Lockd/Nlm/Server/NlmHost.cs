using System.Diagnostics;
using System.Net;
using Kworker.SunRpc;

namespace Kworker.Lockd.Nlm;

/// <summary>
/// A client: the address that its calls come from and the name that it gives itself (<c>struct nlm_host</c>). By both, because several may share an address
/// (behind a translator, or in containers), and because nothing vouches for a name.
/// </summary>
[DebuggerDisplay("{ToString(),nq}")]
internal sealed class NlmHost(IPAddress address, string name)
{
    /// <summary>Guards owners, requests and shares. May be held when the lock table's locks are taken, never the other way round.</summary>
    public Lock Lock { get; } = new();

    public IPAddress Address { get; } = address;

    /// <summary>The name's bytes, a character each.</summary>
    public string Name { get; } = name;

    /// <summary>Its processes that hold or wait for locks. Under <see cref="Lock"/>.</summary>
    public Dictionary<int, NlmOwner> Owners { get; } = [];

    /// <summary>Its requests that wait, or were granted and the client has not said that it knows. Under <see cref="Lock"/>.</summary>
    public Dictionary<NlmBlockKey, NlmBlock> Blocks { get; } = [];

    /// <summary>Its NSM state as it stood in the last lock call that had one; 0 before. Under <see cref="Lock"/>.</summary>
    public int State { get; set; }

    /// <summary>Whether <see cref="State"/> has changed: it has rebooted, and its locks say in which life they were taken. Under <see cref="Lock"/>.</summary>
    public bool HasRebooted { get; set; }

    /// <summary>Shares that it holds. Guarded by the lock of <see cref="NlmShares"/>.</summary>
    public int ShareCount { get; set; }

    /// <summary>Calls that use this object. Guarded by the lock of <see cref="NlmHosts"/>.</summary>
    public int References { get; set; }

    /// <summary>When the last call ended, as the clock's time stamp. Guarded by the lock of <see cref="NlmHosts"/>.</summary>
    public long LastUse { get; set; }

    /// <summary>Held while NSM is told to monitor the host, or not to any more; guards <see cref="IsMonitored"/>.</summary>
    public object Monitoring { get; } = new();

    /// <summary>Whether NSM has it on disk.</summary>
    public bool IsMonitored { get; set; }

    /// <summary>What carried its last blocking request, and so carries GRANTED.</summary>
    public RpcTransport Transport { get; set; } = RpcTransport.Tcp;

    /// <summary>Where its lock manager listens, for each transport and version asked for; forgotten when nobody answers there. Under <see cref="Lock"/>.</summary>
    public Dictionary<(RpcTransport Transport, uint Version), int> Ports { get; } = [];

    /// <summary>Whether it holds, waits for and shares nothing.</summary>
    public bool IsIdle
    {
        get
        {
            lock (Lock)
                return Owners.Count == 0 && Blocks.Count == 0 && ShareCount == 0;
        }
    }

    public override string ToString() => $"{LogText.Show(Name)} ({Address})";
}
