using System.Net;
using Kworker.Lockd.Nsm;

namespace Kworker.Lockd.Tests.Nlm;

/// <summary>A status monitor that writes down what it is told.</summary>
internal sealed class TestNsm : INsm
{
    private readonly Lock _lock = new();
    private readonly List<string> _monitored = [];

    public event Action<NsmReboot>? HostRebooted;

    public int State => 1;

    public bool HasHostsOfBefore { get; init; }

    /// <summary>Whether hosts can be monitored.</summary>
    public bool Works { get; set; } = true;

    /// <summary>The hosts that are monitored, as "alice@127.0.0.1".</summary>
    public string[] Monitored
    {
        get
        {
            lock (_lock)
                return [.. _monitored.Order()];
        }
    }

    public bool Monitor(string name, IPAddress address, IPAddress? local = null)
    {
        lock (_lock)
        {
            Assert.DoesNotContain($"{name}@{address}", _monitored);
            if (Works)
                _monitored.Add($"{name}@{address}");
            return Works;
        }
    }

    public void Unmonitor(string name, IPAddress address)
    {
        lock (_lock)
            Assert.True(_monitored.Remove($"{name}@{address}"));
    }

    public void GraceEnded()
    {
    }

    public void Reboot(string name, int state, string address = "127.0.0.1") =>
        HostRebooted?.Invoke(new NsmReboot(name, IPAddress.Parse(address), state));
}
