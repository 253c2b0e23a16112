using System.Net;

namespace Kworker.Lockd.Nsm;

/// <summary>Who sees to it that a reboot is told on both sides: our own status monitor, or the system's. Thread-safe.</summary>
internal interface INsm
{
    /// <summary>Our own state number: odd while we are up, another one after each start.</summary>
    int State { get; }

    /// <summary>Whether hosts were monitored before we started: they may hold locks, and are to be waited for.</summary>
    bool HasHostsOfBefore { get; }

    /// <summary>A monitored host has rebooted. Raised on a worker, once for each new state.</summary>
    event Action<NsmReboot>? HostRebooted;

    /// <summary>Has a host monitored. When this returns true it is on disk: it will be notified of our restart, whatever happens from now on.</summary>
    /// <param name="name">What the host calls itself, a character for each byte.</param>
    /// <param name="address">Where its calls come from.</param>
    /// <param name="local">The address of ours that they reach, by which the host knows us; null if that is not known.</param>
    /// <returns>False if it cannot be monitored; the reason has been logged.</returns>
    /// <remarks>Blocks. Monitored twice, it is so until that was ended twice.</remarks>
    bool Monitor(string name, IPAddress address, IPAddress? local = null);

    /// <summary>Ends that; nothing if it is not monitored.</summary>
    /// <remarks>Blocks.</remarks>
    void Unmonitor(string name, IPAddress address);

    /// <summary>
    /// Hosts that were told of our restart had time to get their locks back: those that were not monitored anew need not be remembered any
    /// longer. Until this is said a further restart tells them again: it may have come before they had their locks.
    /// </summary>
    /// <remarks>Blocks.</remarks>
    void GraceEnded();
}

/// <summary>A host has rebooted.</summary>
/// <param name="Name">The name that it was monitored by.</param>
/// <param name="Address">The address that it was monitored by.</param>
/// <param name="State">Its new state.</param>
internal readonly record struct NsmReboot(string Name, IPAddress Address, int State);
