using System.Net;
using System.Net.Sockets;

namespace Kworker.Nfsd.Exports;

/// <summary>The name service, as far as exports need it. Calls may wait for the network.</summary>
public interface IHostNames
{
    /// <summary>The host name of <paramref name="address"/>; null if it has none.</summary>
    string? NameOf(IPAddress address);

    /// <summary>The addresses of <paramref name="name"/>; none if there is no such host.</summary>
    IReadOnlyCollection<IPAddress> AddressesOf(string name);
}

/// <summary>The system's name service.</summary>
internal sealed class SystemHostNames : IHostNames
{
    public static SystemHostNames Instance { get; } = new();

    public string? NameOf(IPAddress address)
    {
        using var blocking = Worker.Blocking(); // It waits for the network: other calls go on meanwhile.
        try
        {
            return Dns.GetHostEntry(address).HostName;
        }
        catch (SocketException)
        {
            return null; // No name, or nobody to ask: the client matches no rule that goes by name.
        }
    }

    public IReadOnlyCollection<IPAddress> AddressesOf(string name)
    {
        using var blocking = Worker.Blocking();
        try
        {
            return Dns.GetHostAddresses(name);
        }
        catch (SocketException)
        {
            return [];
        }
    }
}
