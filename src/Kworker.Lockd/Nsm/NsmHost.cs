using System.Diagnostics;
using System.Net;

namespace Kworker.Lockd.Nsm;

/// <summary>A host that is monitored. Guarded by the lock of <see cref="NsmService"/>.</summary>
[DebuggerDisplay("{Address}, {Names.Count} names")]
internal sealed class NsmHost
{
    public NsmHost(IPAddress address, Action<NsmHost> report)
    {
        Address = address;
        Reporting = new Work<NsmHost>(this, report);
    }

    public IPAddress Address { get; }

    /// <summary>By each name that it is monitored by.</summary>
    public Dictionary<string, NsmMonitors> Names { get; } = [];

    /// <summary>The last state that it told; null before it has told any.</summary>
    public int? State { get; set; }

    /// <summary>Tells of its reboot. Queued once, however often it says that it has rebooted.</summary>
    public Work<NsmHost> Reporting { get; }
}

/// <summary>Who has a host monitored by one name.</summary>
internal sealed class NsmMonitors
{
    /// <summary>How often this process has.</summary>
    public int Own { get; set; }

    /// <summary>Programs of this machine that have, and what each gets back.</summary>
    public List<NsmMon> Others { get; } = [];

    public bool IsEmpty => Own == 0 && Others.Count == 0;
}
